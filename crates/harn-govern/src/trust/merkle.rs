//! Merkle trees over the records of a chain, as in RFC 6962 section 2.1: one record is proved without the others.

use harn_eventlog::Json;
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The leaf of a record: its whole canonical JSON.
pub fn leaf(record: &Json) -> Hash {
    leaf_of(&record.canonical())
}

/// The leaf of a record in its canonical text.
pub fn leaf_of(text: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(text.as_bytes());
    hasher.finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// A tree that grows leaf by leaf: the roots of its perfect subtrees, largest first. They are all it takes to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    size: u64,
    peaks: Vec<Hash>,
}

impl Peaks {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // As many subtrees are completed as the size has low bits set.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => root(&[]),
            Some(last) => peaks.fold(last, |right, left| node(&left, &right)),
        }
    }

    /// The subtrees as text.
    pub fn texts(&self) -> Vec<String> {
        self.peaks.iter().map(text_of).collect()
    }

    /// A tree of `size` leaves with these subtrees; `None` when there must be more or fewer of them. Whether they are the
    /// right ones shows its root.
    pub fn parse(size: u64, texts: &[String]) -> Option<Peaks> {
        let peaks: Vec<Hash> = texts.iter().map(|text| parse(text)).collect::<Option<_>>()?;
        (size.count_ones() as usize == peaks.len()).then_some(Peaks { size, peaks })
    }
}

/// Where a tree of `size` > 1 leaves divides: the largest power of two below its size.
fn split(size: usize) -> usize {
    1 << (usize::BITS - 1 - (size - 1).leading_zeros())
}

/// The root of the tree of these leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The audit path of the leaf at `index`: the hashes beside its way to the root, from the leaf upwards. `None` when there is
/// no such leaf.
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut below, beside) =
        if index < at { (path(left, index)?, root(right)) } else { (path(right, index - at)?, root(left)) };
    below.push(beside);
    Some(below)
}

/// The root that a leaf and its audit path lead to in a tree of `size` leaves (RFC 9162 section 2.1.3.2). `None` when the
/// path cannot be one of such a tree.
pub fn root_of_path(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// `sha256:` and hex.
pub fn text_of(hash: &Hash) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(hash))
}

/// Reads that form.
pub fn parse(text: &str) -> Option<Hash> {
    data_encoding::HEXLOWER.decode(text.strip_prefix("sha256:")?.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf(&Json::Int(i as i64))).collect()
    }

    /// The test tree of the certificate transparency project: seven inputs and their root.
    #[test]
    fn the_published_test_tree_has_its_root() {
        let inputs: [&[u8]; 7] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
        ];
        let leaves: Vec<Hash> = inputs
            .iter()
            .map(|input| {
                let mut hasher = Sha256::new();
                hasher.update([0]);
                hasher.update(input);
                hasher.finalize().into()
            })
            .collect();
        let expected = "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c";
        assert_eq!(text_of(&root(&leaves)), format!("sha256:{expected}"));
    }

    #[test]
    fn a_tree_that_grows_has_the_roots_of_its_prefixes() {
        let leaves = leaves(300);
        let mut peaks = Peaks::default();
        assert_eq!(peaks.root(), root(&[]));
        for (n, leaf) in leaves.iter().enumerate() {
            peaks.push(*leaf);
            assert_eq!(peaks.root(), root(&leaves[..=n]), "{n}");
            assert_eq!(Peaks::parse(peaks.size(), &peaks.texts()), Some(peaks.clone()));
        }
        assert_eq!(Peaks::parse(299, &peaks.texts()), None);
    }

    proptest! {
        #[test]
        fn every_leaf_is_proved_and_no_other(size in 1usize..70, index in 0usize..70, other in 0usize..70) {
            let tree = leaves(size);
            prop_assume!(index < size);
            let path = path(&tree, index).unwrap();
            let reached = |leaf: &Hash, at: usize, path: &[Hash]| {
                root_of_path(leaf, at as u64, size as u64, path)
            };
            prop_assert_eq!(reached(&tree[index], index, &path), Some(root(&tree)));
            if other < size && other != index {
                prop_assert_ne!(reached(&tree[other], index, &path), Some(root(&tree)));
                prop_assert_ne!(reached(&tree[index], other, &path), Some(root(&tree)));
            }
            let mut longer = path.clone();
            longer.push([0; 32]);
            prop_assert_eq!(reached(&tree[index], index, &longer), None);
        }
    }
}
