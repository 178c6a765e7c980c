"""One training epoch of ResNet-18: ours, and the loop that a user of torch would write.

The peer is the ordinary one: a data set that crops, flips and normalizes one image at a time, torch's DataLoader, a
forward pass whose activations and sums are new tensors, and a loop of zero_grad, backward and step. The layers, the
initial weights, the optimizer, the size of the batches and the number of threads are the same. Rows between say where
the gain comes from, each by one change of the plain loop: weights in channels_last, activations in place, batches cut
from a resident tensor. Every row learns the same problem, which is checked.

On the CPU: width 16, 2,000 images, one thread, so no workers either. The time is that of the CPU, which is less
disturbed by other processes. Convolutions of oneDNN take 72 % of our epoch, batch normalization and ReLU 17 %
(torch.profiler, torch 2.13). So the plain loop with channels_last reaches the same limit; only fused kernels would be
faster.

On a GPU (pytest -m gpu): width 64, 50,000 images, B = 128; ours in bfloat16 with a CUDA graph, the plain loop in
float32 as torch has it, its data made by workers in memory that is pinned. extra_info has what is reached of the peak
of bfloat16, convolutions and products counted.
"""

import os
import time

import numpy as np
import pytest
import torch

from fixtures.models.convolutional import resnet18
from fixtures.training.config import Stop, TrainingConfig
from fixtures.training.preparation import generator_of
from fixtures.training.run import Training
from fixtures.training.test_run import RandomImages
from properties.certificates import assert_at_most

ETA, MOMENTUM, CLASSES, REACH = 0.05, 0.9, 10, 4

PEAKS = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12}
"""bfloat16 without sparsity, FLOP/s, by what the name of a GPU contains; from NVIDIA's data sheets."""


def images(count):
    """Noise in the shape of CIFAR-10, with a constant shade to each class: it is learned within an epoch or two."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, count)
    shades = rng.integers(0, 128, (CLASSES, 3, 1, 1))
    pixels = (rng.integers(0, 128, (count, 3, 32, 32)) + shades[labels]).astype(np.uint8)
    return RandomImages("cifar10", pixels, labels, pixels[:100], labels[:100], classes=CLASSES)


class OneByOne:
    """A map-style data set as it is usually written: an image is normalized, padded, cropped and flipped on demand."""

    def __init__(self, data):
        self.pixels, self.labels = data.train, data.train_labels
        self.mean = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
        self.deviation = torch.tensor([0.2470, 0.2435, 0.2616])[:, None, None]

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        image = (torch.from_numpy(self.pixels[index]).float() / 255 - self.mean) / self.deviation
        image = torch.nn.functional.pad(image, [REACH] * 4)
        top, left = torch.randint(2 * REACH + 1, (2,)).tolist()
        image = image[:, top : top + 32, left : left + 32]
        if torch.rand(()) < 0.5:
            image = image.flip(2)
        return image, int(self.labels[index])


def usual_forward(network, x):
    """The scores of a ResNet18, as its forward pass is usually written."""
    h = torch.relu(network.bn(network.conv(x)))
    for block in network.blocks:
        residual = torch.relu(block.bn1(block.conv1(h)))
        h = torch.relu(block.bn2(block.conv2(residual)) + block.shortcut(h))
    return network.head(h.mean(dim=(2, 3)))


class PlainLoop:
    """The usual loop; each call is an epoch, and `batches()` what it runs over."""

    def __init__(self, width, batches, device, *, forward=usual_forward, memory_format=torch.contiguous_format):
        self.forward = forward
        network = resnet18(width, channels=3, classes=CLASSES, generator=generator_of(0, "weights"))
        self.model, self.batches, self.device = network.to(device, memory_format=memory_format), batches, device
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=ETA, momentum=MOMENTUM)

    def __call__(self):
        for inputs, labels in self.batches():
            inputs, labels = (part.to(self.device, non_blocking=True) for part in (inputs, labels))
            self.optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.forward(self.model, inputs), labels)
            loss.backward()
            self.optimizer.step()
        return loss.item()


def loader(data, batch, **options):
    """The DataLoader of torch over the images one by one, in an order of its own."""
    generator = torch.Generator().manual_seed(0)
    dataset = OneByOne(data)
    return torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=True, generator=generator, **options)


def ours(data, size, width, batch, **options):
    """A function that trains for an epoch more, and the run."""
    shape = {"model": "resnet18", "width": width, "eta": ETA, "momentum": MOMENTUM, "batch": batch, "augment": True}
    config = TrainingConfig("cifar10", size, **shape, stops=(Stop("epochs", 999),), cap_epochs=999, seed=0, **options)
    training = Training(config, data)
    events = training.events()
    return lambda: next(events), training


def resident(training):
    """The batches of a run as its steps take them, for another loop."""
    for _ in range(training.config.size // training.config.batch):
        yield training.next_batch()


SIZE, WIDTH, BATCH = 2000, 16, 125
CHANGES = {
    "plain loop": {},
    "plain loop, channels_last": {"memory_format": torch.channels_last},
    "plain loop, in place": {"forward": lambda network, x: network(x)},
    "plain loop, resident": {},
}


def on_the_cpu(name):
    """(a function that trains for an epoch, what it trains) of the row `name`."""
    data = images(SIZE)
    epoch, training = ours(data, SIZE, WIDTH, BATCH)
    if name == "ours":
        return epoch, training.model
    batches = (lambda: resident(training)) if name.endswith("resident") else lambda: loader(data, BATCH)
    loop = PlainLoop(WIDTH, batches, torch.device("cpu"), **CHANGES[name])
    return loop, loop.model


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def share_of_wrong_answers(model, data, count=500):
    """On plain training images, with the statistics of this batch."""
    inputs = torch.stack([torch.from_numpy(image) for image in data.train[:count]]).float()
    mean, deviation = inputs.mean(dim=(0, 2, 3), keepdim=True), inputs.std(dim=(0, 2, 3), keepdim=True)
    device = next(model.parameters()).device
    with torch.no_grad():
        answers = model(((inputs - mean) / deviation).to(device)).argmax(dim=1).cpu()
    return float((answers != torch.from_numpy(data.train_labels[:count])).float().mean())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.benchmark(group="an epoch of ResNet-18, width 16, 2,000 images, one thread", timer=time.process_time)
@pytest.mark.parametrize("name", ["ours", *CHANGES])
def test_an_epoch_on_the_cpu(benchmark, name):
    epoch, model = on_the_cpu(name)
    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    assert_at_most(share_of_wrong_answers(model, images(SIZE)), 0.5, why="half of the shades are known by now")


ON_GPU = {"size": 50_000, "width": 64, "batch": 128}


def flop_per_image(width):
    """Of a training step: convolutions and products, forward and backward, two operations to a multiplication."""
    from torch.utils.flop_counter import FlopCounterMode

    model = resnet18(width, channels=3, classes=CLASSES, generator=generator_of(0, "weights"))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 3, 32, 32)).sum().backward()
    return counter.get_total_flops() / 2


def on_the_gpu(name):
    """(a function that trains for an epoch, what it trains) of the row `name`."""
    data = images(ON_GPU["size"])
    if name == "ours":
        epoch, training = ours(data, **ON_GPU, device="cuda", precision="bfloat16", compiled=True)
        return epoch, training.model
    workers = {"num_workers": min(8, os.cpu_count() or 1), "persistent_workers": True, "pin_memory": True}
    batches = loader(data, ON_GPU["batch"], **workers)
    loop = PlainLoop(ON_GPU["width"], lambda: batches, torch.device("cuda"))
    return loop, loop.model


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
@pytest.mark.benchmark(group="an epoch of ResNet-18, width 64, 50,000 images, B = 128, on a GPU")
@pytest.mark.parametrize("name", ["ours", "plain loop"])
def test_an_epoch_on_a_gpu(benchmark, name):
    epoch, model = on_the_gpu(name)
    # a call ends with a number that came from the GPU, so all of its work is timed
    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    assert_at_most(share_of_wrong_answers(model, images(ON_GPU["size"])), 0.5, why="half of the shades are known")
    if benchmark.stats is not None:
        device = torch.cuda.get_device_name()
        rate = flop_per_image(ON_GPU["width"]) * ON_GPU["size"] / benchmark.stats.stats.min
        peak = next((peak for part, peak in PEAKS.items() if part in device), None)
        benchmark.extra_info |= {"device": device, "TFLOP/s": rate / 1e12, "bf16 peak": peak and rate / peak}
