//! Sets of registers of one frame.

/// A set of the registers `r0..` of a frame, 64 for each word. What is out of its range is never in it: a pass takes one
/// word where a function has no more registers, for it copies and joins sets at every instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegSet<const WORDS: usize = 4>([u64; WORDS]);

impl<const WORDS: usize> Default for RegSet<WORDS> {
    fn default() -> Self {
        RegSet([0; WORDS])
    }
}

impl<const WORDS: usize> RegSet<WORDS> {
    /// How many registers it can tell apart.
    pub(crate) const REGISTERS: usize = WORDS * 64;

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
        self.0 == [0; WORDS]
    }

    /// Both sets together.
    pub(crate) fn union(self, other: Self) -> Self {
        self.zip(other, |x, y| x | y)
    }

    /// What is in both.
    pub(crate) fn intersect(self, other: Self) -> Self {
        self.zip(other, |x, y| x & y)
    }

    /// This one without the other.
    pub(crate) fn minus(self, other: Self) -> Self {
        self.zip(other, |x, y| x & !y)
    }

    /// Only the registers below `top`.
    pub(crate) fn below(self, top: u8) -> Self {
        let mut mask = [0u64; WORDS];
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
        let mut words = self.0;
        let mut at = 0;
        std::iter::from_fn(move || {
            while let Some(word) = words.get_mut(at) {
                if *word != 0 {
                    let bit = word.trailing_zeros();
                    *word &= *word - 1;
                    return Some((at as u32 * 64 + bit) as u8);
                }
                at += 1;
            }
            None
        })
    }

    fn zip(mut self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word = f(*word, *other);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_lists_its_registers_in_order_and_cuts_at_a_top() {
        let mut set: RegSet = RegSet::default();
        for register in [200, 3, 64, 63] {
            set.insert(register);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 63, 64, 200]);
        assert_eq!(set.below(64).iter().collect::<Vec<_>>(), [3, 63]);
        assert_eq!(set.below(65).iter().collect::<Vec<_>>(), [3, 63, 64]);
        set.remove(64);
        assert!(!set.contains(64) && set.contains(200));
    }
    #[test]
    fn a_small_set_never_holds_what_is_out_of_its_range() {
        let mut set = RegSet::<1>::default();
        set.insert(63);
        set.insert(64);
        assert_eq!(set.iter().collect::<Vec<_>>(), [63]);
        assert_eq!(set.below(64), set);
        assert!(set.below(63).is_empty());
    }
}
