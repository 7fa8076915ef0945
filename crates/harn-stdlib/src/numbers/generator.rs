//! The random generator behind `rng_seed` and the builtins without one: xoshiro256++ seeded by splitmix64.
//! The sequence of a seed is the same within one version of the implementation.

/// A generator.
#[derive(Clone, Debug)]
pub struct Generator {
    state: [u64; 4],
}

impl Generator {
    /// The generator of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut s = seed;
        let mut next = || {
            s = s.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = s;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        Generator { state: [next(), next(), next(), next()] }
    }

    /// The generator of random bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut state = [0u64; 4];
        for (i, word) in state.iter_mut().enumerate() {
            for (j, b) in bytes.iter().skip(i * 8).take(8).enumerate() {
                *word |= u64::from(*b) << (8 * j);
            }
        }
        if state == [0; 4] { Self::from_seed(0) } else { Generator { state } }
    }

    /// Where it stands, for [`Generator::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        self.state.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let (s2, s3) = (s2 ^ s0, s3 ^ s1);
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// A float in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `n`, without bias; `n` must not be 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let limit = u64::MAX - u64::MAX % n;
        loop {
            let bits = self.bits();
            if bits < limit || limit == 0 {
                return bits % n;
            }
        }
    }

    /// An int of `[min, max]`, which must be in order.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        match max.abs_diff(min) {
            u64::MAX => self.bits() as i64,
            width => min.wrapping_add(self.below(width + 1) as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence() {
        let (mut a, mut b) = (Generator::from_seed(42), Generator::from_seed(42));
        assert!((0..10).all(|_| a.bits() == b.bits()));
        assert_ne!(Generator::from_seed(1).bits(), Generator::from_seed(2).bits());
    }

    #[test]
    fn both_ends_are_reached() {
        let mut g = Generator::from_seed(7);
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| g.between(-1, 1)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-1, 0, 1]);
        g.between(i64::MIN, i64::MAX);
    }
}
