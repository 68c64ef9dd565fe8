//! Numbers drawn for generated worlds, in tests.

use rand::RngExt;
use rand::rngs::StdRng;

/// A Gamma number of this shape and mean: Marsaglia and Tsang, "A simple method for generating gamma
/// variables" (2000), with a boost for shapes below one.
pub(crate) fn gamma(rng: &mut StdRng, shape: f64, mean: f64) -> f64 {
    let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let drawn = loop {
        let (u1, u2): (f64, f64) = (rng.random(), rng.random());
        let x = (-2.0 * u1.max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * u2).cos();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && rng.random::<f64>().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            break d * v;
        }
    };
    let drawn = match shape < 1.0 {
        true => drawn * rng.random::<f64>().powf(1.0 / shape),
        false => drawn,
    };
    drawn * mean / shape
}
