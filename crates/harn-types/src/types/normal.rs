//! Unions in normal form: flat, without duplicates and `never`.

use super::{Kind, Ty, Types};

impl Types {
    /// The union of `members`, in order of first appearance. `·` anywhere makes the whole unknown; nothing at all is
    /// `never`.
    pub fn union(&mut self, members: &[Ty]) -> Ty {
        let mut flat: Vec<Ty> = Vec::with_capacity(members.len());
        for &member in members {
            match self.kind(member) {
                Kind::Free => return Ty::FREE,
                Kind::Never => {}
                Kind::Union(inner) => {
                    for m in inner {
                        if !flat.contains(m) {
                            flat.push(*m);
                        }
                    }
                }
                _ => {
                    if !flat.contains(&member) {
                        flat.push(member);
                    }
                }
            }
            if flat.len() > MAX_MEMBERS {
                return Ty::FREE;
            }
        }
        match flat.as_slice() {
            [] => Ty::NEVER,
            [one] => *one,
            _ => self.intern(Kind::Union(flat.into())),
        }
    }

    /// `ty` without the members that `drop` names.
    pub fn without(&mut self, ty: Ty, mut drop: impl FnMut(&Types, Ty) -> bool) -> Ty {
        let kept: Vec<Ty> = self.members(ty).into_iter().filter(|m| !drop(self, *m)).collect();
        self.union(&kept)
    }
}

/// Past this many members a union says nothing: no program means it, and each comparison would be slow.
const MAX_MEMBERS: usize = 512;
