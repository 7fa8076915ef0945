//! Which known name a misspelt one was meant to be.

/// The candidate nearest to `name` within `limit` edits: nearest first, then closest in length, then alphabetical.
pub fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>, limit: usize) -> Option<&'n str> {
    let wanted: Vec<char> = name.chars().collect();
    let mut best: Option<(usize, usize, &str)> = None;
    for candidate in candidates {
        let length = candidate.chars().count();
        let difference = length.abs_diff(wanted.len());
        if difference > limit || candidate == name {
            continue;
        }
        let distance = edits(&wanted, candidate);
        let key = (distance, difference, candidate);
        if distance <= limit && best.is_none_or(|b| key < b) {
            best = Some(key);
        }
    }
    best.map(|(_, _, candidate)| candidate)
}

/// Levenshtein distance.
fn edits(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (i, y) in b.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (x, cell) in a.iter().zip(row.iter_mut().skip(1)) {
            let value = (diagonal + usize::from(*x != y)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            *cell = value;
            left = value;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_insertions_deletions_and_changes() {
        let chars = |s: &str| s.chars().collect::<Vec<char>>();
        assert_eq!(edits(&chars("compite"), "compute"), 1);
        assert_eq!(edits(&chars(""), "abc"), 3);
        assert_eq!(edits(&chars("kitten"), "sitting"), 3);
    }

    #[test]
    fn the_nearest_is_closest_then_of_like_length_then_first() {
        let names = ["prints", "println", "printer"];
        assert_eq!(nearest("printl", names.into_iter(), 2), Some("prints"));
        assert_eq!(nearest("zzz", names.into_iter(), 2), None);
    }
}
