r"""Section 8.1: stochastic differential equation - SGD has the square root of the noise covariance, times sqrt(eta).

Section     8.1
Printed     In continuous time SGD approximates $d\theta = -\nabla \mathcal{L}(\theta)\, dt + \sqrt{\eta}\,
            \Sigma(\theta)\, dW$, with a Wiener process $W$ and the noise covariance $\Sigma$ (the second display of
            8.1)
Setting     $\theta_{t+1} = \theta_t - \eta \nabla L_{B_t}(\theta_t)$; $\Sigma$ is the covariance of the gradient of one
            row, $f\Sigma$ that of a minibatch of $b$ out of $n$ rows: $f = \frac1b$ with replacement,
            $\frac{n-b}{b(n-1)}$ without
Source      Li, Tai, E (2017), Stochastic Modified Equations and Adaptive Stochastic Gradient Algorithms, ICML (both
            orders); Mandt, Hoffman, Blei (2017), Stochastic Gradient Descent as Approximate Bayesian Inference, JMLR 18
            (constant noise); Johnson, Helms (1963), Class D Supermartingales, Bulletin of the AMS 69 (1/|B|); the
            two-sided bound on the fluctuation and the constants of both orders are ours, derived at each test
"""
