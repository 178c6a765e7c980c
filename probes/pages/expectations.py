"""What the literature leads one to expect of each question, and which hypothesis of it a profile may not meet."""

from __future__ import annotations

from probes.pages import sources as by
from probes.pages.sources import Expectation, Source

COUPLED = ("SGD", "Adam", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta")
"""torch's optimizers that add the decay to the gradient as they are made; AdamW, Adafactor and Muon do not."""
HOLDS = ("exact", "to rounding")


def _of(
    families: str,
    question: str,
    says: str | tuple[str, ...],
    source: Source,
    proves: str,
    where: str = "",
    *,
    without: str = "",
    uses: str = "",
) -> Expectation:
    answers = (says,) if isinstance(says, str) else says
    return Expectation(
        tuple(families.split()),
        question,
        answers,
        str(source),
        proves,
        where,
        tuple(without.split()),
        tuple(uses.split()),
    )


EXPECTATIONS: tuple[Expectation, ...] = (
    _of(
        "SGD",
        "interpolation",
        "at a constant step",
        by.POLYAK_1964,
        "On a quadratic, gradient descent and heavy ball converge linearly at a constant step that is small enough",
        without="weight_decay nesterov",
    ),
    _of(
        "ScheduleFreeAdamW ScheduleFreeSGD ForeachSFAdamW",
        "interpolation",
        "at a constant step",
        by.DEFAZIO_2024,
        "An average of the iterates takes the place of a schedule: for convex Lipschitz losses it converges as well as "
        "the best schedules, at a constant step",
    ),
    _of(
        "SGD",
        "row space",
        "projects w_0",
        by.GUNASEKAR_2018,
        "Mirror descent on a loss with finite minima ends at the minimum of least divergence from the start, with "
        "momentum too and at any steps, if it ends at a minimum; gradient descent is the case of the Euclidean norm",
        without="weight_decay",
    ),
    _of(
        "Adagrad RMSprop Adam",
        "row space",
        "leaves row(X)",
        by.WILSON_2017,
        "There are problems on which adaptive methods end far from where gradient descent ends",
        without="weight_decay amsgrad centered",
    ),
    _of(
        "SGD",
        "vector norm",
        "l2",
        by.GUNASEKAR_2018,
        "From zero, the minimum of least divergence is the one of least Euclidean norm",
        without="weight_decay",
    ),
    _of(
        "SGD",
        "matrix norm",
        "Frobenius",
        by.GUNASEKAR_2018,
        "The same theorem, with the entries of the matrix as the weights",
        without="weight_decay",
    ),
    _of(
        "SGD",
        "vector margin",
        "l2",
        by.SOUDRY_2018,
        "On separable data, with a loss of exponential tail and a step that is small enough, the direction converges "
        "to the largest l2 margin, as 1/log t; Wang et al. 2022 show the same with momentum",
        without="weight_decay nesterov",
    ),
    _of(
        "Adam",
        "vector margin",
        "l-infinity",
        by.ZHANG_2024,
        "Logistic regression on separable data, full batches, epsilon = 0, steps that decrease to zero in a general "
        "class: the l-infinity margin converges to the largest, in polynomial time. With epsilon > 0 kept as the "
        "gradients vanish, Wang et al. 2021 and 2022 get the l2 margin",
        "The run is finite: the margin still rises, and the schedule is not of the class of the theorem",
        without="weight_decay amsgrad",
    ),
    _of(
        "RMSprop",
        "vector margin",
        "l2",
        by.WANG_2021,
        "Homogeneous networks, logistic loss, epsilon > 0: once the gradients are far below epsilon, the direction is "
        "one of gradient flow",
        "The loss of the profile is a logarithm, whose gradient does not vanish, so that epsilon is never reached",
        without="weight_decay momentum centered",
    ),
    _of(
        "Adagrad",
        "vector margin",
        "none named",
        by.QIAN_2019,
        "On separable data and with a step that is small enough, the direction solves a quadratic problem whose "
        "weights come from the limit of the preconditioner: they depend on the start, the step and the data",
        "The loss of the profile is a logarithm, whose gradients do not vanish: their squares have no finite sum, and "
        "the preconditioner has no limit",
        without="weight_decay lr_decay",
    ),
    _of(
        "AdamW",
        "vector margin",
        "l-infinity",
        by.XIE_2024,
        "Full batches: if AdamW converges, with steps that do not increase and whose sum diverges, it is at a KKT "
        "point of the loss in the ball |w| <= 1/decay of the l-infinity norm. The least loss there has nearly the "
        "largest margin, if the ball is large",
        "The sum of the steps is finite, so that the weights need not have reached the ball",
        without="amsgrad",
        uses="weight_decay",
    ),
    _of(
        "SGD",
        "matrix margin",
        "Frobenius",
        by.SOUDRY_2018,
        "The same theorem, with the entries of the matrix as the weights",
        without="weight_decay momentum",
    ),
    _of(
        "Adam",
        "matrix margin",
        "max",
        by.FAN_2025,
        "Several classes, separable data, cross-entropy, epsilon = 0, decreasing steps: the margin in the norm of the "
        "largest entry converges to the largest",
        "The run is finite, and the margin still rises. The points are general matrices, not those of several classes",
        without="weight_decay amsgrad",
    ),
    _of(
        "Muon",
        "matrix margin",
        "spectral",
        by.FAN_2025,
        "Several classes, separable data, cross-entropy, momentum with exact polar factors and no decay, decreasing "
        "steps: the spectral margin converges to the largest",
        "torch's Muon decays by 0.1 and takes five Newton-Schulz steps whose coefficients do not converge: the "
        "singular values of a step lie between 0.68 and 1.14, but for tiny ones. With ns_steps=20 and "
        "ns_coefficients=(1.5, -0.5, 0.0) it answers spectral, also with decay",
    ),
    _of(
        "SGD",
        "rotation",
        HOLDS,
        by.GUNASEKAR_2018,
        "Gradient descent is steepest descent in the Euclidean norm, which a rotation keeps",
    ),
    _of(
        "Adam",
        "rotation",
        "violated",
        by.MAES_2024,
        "Measured: training with Adam is worse after a random rotation of the weights, so that it depends on the basis",
    ),
    _of(
        "Adam AdamW",
        "loss scale",
        (*HOLDS, "up to epsilon"),
        by.KINGMA_2015,
        "If epsilon is negligible, the update does not depend on the scale of the gradient",
        "Decay that is added to the gradient does not scale with the loss, and epsilon is not negligible",
    ),
    _of(
        "Adam AdamW",
        "scale-free",
        (*HOLDS, "up to epsilon"),
        by.ZHUANG_2022,
        "With epsilon = 0 and no decay in the gradient, the updates do not depend on the scale of each component",
        "Decay is added to the gradient, or epsilon is not negligible beside the gradients at the end",
    ),
    _of(
        "Muon",
        "left rotation",
        (*HOLDS, "to lower precision"),
        by.BERNSTEIN_2024,
        "The polar factor of the gradient is steepest descent in the spectral norm, which rotations keep",
    ),
    _of(
        "Muon",
        "right rotation",
        (*HOLDS, "to lower precision"),
        by.BERNSTEIN_2024,
        "The same, from the right",
    ),
    _of(
        "SGD",
        "left rotation",
        HOLDS,
        by.GUNASEKAR_2018,
        "A rotation of the columns is one of the entries",
    ),
    _of("SGD", "right rotation", HOLDS, by.GUNASEKAR_2018, "A rotation of the rows is one of the entries"),
    _of(
        "Adafactor",
        "coupling",
        "entries",
        by.SHAZEER_2018,
        "The second moments of a matrix are kept as sums over its rows and columns; an update is clipped as a whole",
    ),
    _of(
        "Shampoo",
        "coupling",
        "entries",
        by.GUPTA_2018,
        "A matrix has a preconditioner of its rows and one of its columns",
    ),
    _of(
        "SOAP ForeachSOAP",
        "coupling",
        "entries",
        by.VYAS_2025,
        "Adam runs in the eigenbasis of Shampoo's preconditioners",
    ),
    _of(
        "Muon",
        "coupling",
        "entries",
        by.BERNSTEIN_2024,
        "The polar factor of the gradient depends on all of its entries",
    ),
    _of(
        "SGD",
        "balancedness",
        "kept as the step shrinks",
        by.ARORA_2018,
        "Gradient flow on a product of matrices keeps W_2'W_2 - W_1W_1'; Du, Hu, Lee 2018 show the same for the "
        "squared norms of layers of homogeneous networks",
        "The steps are not small enough for the drift to be of first order",
        without="weight_decay",
    ),
    _of(
        "SGD",
        "diagonal alpha",
        "Q of the start",
        by.WOODWORTH_2020,
        "Gradient flow on a diagonal network from u = v = alpha, if it fits, ends at the least hypentropy Q_alpha",
        "The step is not small: with momentum 0.9 a step of 0.1 leaves the curve, and one of 0.01 does not",
        without="weight_decay",
    ),
    _of(
        "SGD",
        "completion",
        "least rank",
        by.LI_2021,
        "Gradient flow on a product of two factors from a start that tends to zero raises the rank one by one; on some "
        "instances this is not the least nuclear norm, which Gunasekar et al. 2017 have conjectured",
        "The step is not small, or the start not small enough",
        without="weight_decay",
    ),
    _of(
        "SGD",
        "order of modes",
        "one after another",
        by.GIDEL_2019,
        "Gradient descent on two layers with the squared loss, a start that tends to zero and a step that is small "
        "enough learns the modes in the order of their singular values; Saxe et al. 2014 solve the flow",
        "The step is not small, or the start not small enough",
        without="weight_decay momentum",
    ),
    _of(
        "SGD",
        "stable step",
        ("2/lambda", "2(1+beta)/lambda", "(2+2beta)/((1+2beta)lambda)"),
        by.COHEN_2021,
        "On a quadratic, gradient descent is stable for steps below 2/lambda, and with momentum below "
        "2(1 + beta)/lambda, or (2 + 2 beta)/((1 + 2 beta) lambda) for that of Nesterov; Goh 2017 has a proof",
        without="weight_decay dampening",
    ),
    _of(
        "SGD",
        "final sharpness",
        "kept below the threshold",
        by.COHEN_2021,
        "A minimum with a curvature above the threshold of the quadratic repels; networks at full batch are seen to "
        "end near it",
        "The run is finite: until it comes to a minimum, the curvature may be above the threshold",
        without="weight_decay dampening",
    ),
    _of(
        "Adam RMSprop",
        "final sharpness",
        "at the preconditioned threshold",
        by.COHEN_2022,
        "Measured, on networks at full batch: the largest curvature in the metric of the preconditioner comes to the "
        "threshold of the same optimizer with a frozen preconditioner, 38/step for Adam with beta_1 = 0.9",
        "The networks of the profile are small and the runs short, so that the curvature need not have come there",
        without="weight_decay amsgrad centered",
    ),
    _of(
        "SGD",
        "label noise",
        "like step/batch",
        by.MANDT_2017,
        "With noise of constant covariance at a quadratic minimum and a step that tends to zero, the stationary "
        "covariance is proportional to step/batch, with momentum too",
        "The step is not small",
        without="weight_decay nesterov",
    ),
    _of(
        "Adam RMSprop",
        "label noise",
        "like step/sqrt(batch)",
        by.MALLADI_2022,
        "Where the noise dominates the gradient and the step tends to zero, a batch that is k times as large has the "
        "same law at a step that is sqrt(k) times as large",
        "The step is not small, or the gradient is not dominated by the noise",
        without="weight_decay amsgrad centered momentum",
    ),
    _of(
        "SGD",
        "noise at a minimum",
        "vanishes",
        by.MA_2018,
        "Mini-batches of a convex smooth loss, where a minimum fits every sample and the step is small enough: at a "
        "constant step the loss falls exponentially",
        without="weight_decay momentum",
    ),
    _of(
        " ".join(COUPLED),
        "weight decay",
        "ridge",
        by.LOSHCHILOV_2019,
        "Decay that is added to the gradient is an l2 penalty, so that a limit solves the penalized problem; for "
        "gradient descent alone it is the same as decoupled decay",
        "The optimizer has not converged to a point where the penalized gradient is zero",
        without="decoupled_weight_decay",
    ),
    _of(
        "AdamW",
        "weight decay",
        "l-infinity ball",
        by.XIE_2024,
        "Full batches: if AdamW converges, with steps that do not increase and whose sum diverges, it is at a KKT "
        "point of the loss in the ball of radius 1/decay of the l-infinity norm",
        "The sum of the steps is finite",
        without="amsgrad",
    ),
    _of(
        "Lion",
        "weight decay",
        "l-infinity ball",
        by.CHEN_2024,
        "In continuous time, and in discrete time up to the step, Lion with decoupled decay minimizes the loss in the "
        "ball of radius 1/decay of the l-infinity norm",
        without="fixed_decay",
        uses="weight_decouple",
    ),
    _of(
        "Muon",
        "weight decay",
        "spectral ball",
        by.CHEN_2025,
        "With exact polar factors, Muon with decoupled decay goes to a KKT point of the loss in the ball of radius "
        "1/decay of the spectral norm",
        "The steps of torch's Muon have singular values between 0.68 and 1.14 instead of 1",
    ),
)
"""In the order of the questions; the first that matches a family and a question counts."""
