//! Statistics over floats (spec 05 section 5.3).

/// The mean; 0.0 of nothing.
pub fn mean(xs: &[f64]) -> f64 {
    if xs.is_empty() { 0.0 } else { xs.iter().sum::<f64>() / xs.len() as f64 }
}

/// The percentile by linear interpolation between ranks; `xs` must not be empty.
pub fn percentile(mut xs: Vec<f64>, p: f64) -> f64 {
    xs.sort_by(f64::total_cmp);
    let rank = (xs.len().saturating_sub(1)) as f64 * p / 100.0;
    let below = rank.floor() as usize;
    let at = |i: usize| xs.get(i).or(xs.last()).copied().unwrap_or(f64::NAN);
    let part = rank - rank.floor();
    if part == 0.0 { at(below) } else { at(below) + (at(below + 1) - at(below)) * part }
}

/// The variance of a population, or of a sample.
pub fn variance(xs: &[f64], sample: bool) -> f64 {
    let center = mean(xs);
    let squares: f64 = xs.iter().map(|x| (x - center) * (x - center)).sum();
    squares / (xs.len() - usize::from(sample)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        assert_eq!(percentile(vec![4.0, 1.0, 3.0, 2.0], 50.0), 2.5);
        assert_eq!(percentile(vec![1.0, 2.0, 3.0, 4.0, 5.0], 25.0), 2.0);
    }

    #[test]
    fn a_sample_divides_by_one_less() {
        assert_eq!(variance(&[1.0, 3.0], false), 1.0);
        assert_eq!(variance(&[1.0, 3.0], true), 2.0);
    }
}
