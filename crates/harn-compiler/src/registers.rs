//! Sets of registers of one frame.

/// A set of registers `r0..r255`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegSet([u64; 4]);

impl RegSet {
    /// Adds a register.
    pub(crate) fn insert(&mut self, register: u8) {
        if let Some(word) = self.0.get_mut(usize::from(register >> 6)) {
            *word |= 1 << (register & 63);
        }
    }

    /// Removes a register.
    pub(crate) fn remove(&mut self, register: u8) {
        if let Some(word) = self.0.get_mut(usize::from(register >> 6)) {
            *word &= !(1 << (register & 63));
        }
    }

    /// Whether a register is in the set.
    pub(crate) fn contains(&self, register: u8) -> bool {
        self.0.get(usize::from(register >> 6)).is_some_and(|word| word >> (register & 63) & 1 != 0)
    }

    /// Whether no register is in the set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Both sets together.
    pub(crate) fn union(self, other: RegSet) -> RegSet {
        self.zip(other, |x, y| x | y)
    }

    /// What is in both.
    pub(crate) fn intersect(self, other: RegSet) -> RegSet {
        self.zip(other, |x, y| x & y)
    }

    /// This one without the other.
    pub(crate) fn minus(self, other: RegSet) -> RegSet {
        self.zip(other, |x, y| x & !y)
    }

    /// Only the registers below `top`.
    pub(crate) fn below(self, top: u8) -> RegSet {
        let mut mask = [0u64; 4];
        for (index, word) in mask.iter_mut().enumerate() {
            let low = index as u32 * 64;
            let top = u32::from(top);
            *word = if top >= low + 64 {
                u64::MAX
            } else if top <= low {
                0
            } else {
                (1u64 << (top - low)) - 1
            };
        }
        self.intersect(RegSet(mask))
    }

    /// The registers in ascending order.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().enumerate().flat_map(|(index, mut word)| {
            std::iter::from_fn(move || {
                if word == 0 {
                    return None;
                }
                let bit = word.trailing_zeros();
                word &= word - 1;
                Some((index as u32 * 64 + bit) as u8)
            })
        })
    }

    fn zip(self, other: RegSet, f: impl Fn(u64, u64) -> u64) -> RegSet {
        let [a, b, c, d] = self.0;
        let [e, g, h, i] = other.0;
        RegSet([f(a, e), f(b, g), f(c, h), f(d, i)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_lists_its_registers_in_order_and_cuts_at_a_top() {
        let mut set = RegSet::default();
        for register in [200, 3, 64, 63] {
            set.insert(register);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 64, 200]);
        assert_eq!(set.below(64).iter().collect::<Vec<_>>(), [3, 63]);
        assert_eq!(set.below(65).iter().collect::<Vec<_>>(), [3, 63, 64]);
        set.remove(64);
        assert!(!set.contains(64) && set.contains(200));
    }
}
