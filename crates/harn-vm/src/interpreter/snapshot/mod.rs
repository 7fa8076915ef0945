//! Snapshots: fibers, and all that their values reach, as bytes that another process may go on from (law 2; spec 08
//! section 4.6).
//!
//! [`Vm::save`] writes an [`Image`], [`Vm::restore`] reads it into a VM that has loaded the same program. Sharing is
//! kept where a program can see it: variable cells, handles, generators and closures come back as one object each.
//! Immutable values are written parts first, so that reading needs neither recursion nor a second pass; cells, handles
//! and generators, which may take part in circles, are declared where they are first met and filled at the end.
//!
//! What is read is never trusted: every number is checked against what is there, every frame against the verified code
//! it belongs to.

mod bytes;
mod frames;
mod read;
mod write;

use std::rc::Rc;

use harn_effect::Data;

use super::{Fiber, Vm};
use crate::handle::Handle;
use crate::value::Value;

/// The format of this version; a snapshot of another one is refused.
pub const FORMAT: u8 = 1;

const MAGIC: &[u8; 8] = b"harnsnap";

/// What is to be written.
pub struct Image<'a> {
    /// The directory of the program: keys of modules below it are written relative to it, so that the program may stand
    /// elsewhere when it goes on. Empty: keys are written as they are.
    pub root: &'a str,
    /// What the host of the VM keeps beside the fibers; it names values and fibers by their place in the lists below.
    pub state: Data,
    /// Values that the host keeps.
    pub values: &'a [Value],
    /// The fibers, all waiting.
    pub fibers: &'a [&'a Fiber],
}

/// What was read.
pub struct Restored {
    /// As it was written.
    pub state: Data,
    /// As they were written, in order.
    pub values: Vec<Value>,
    /// As they were written, in order; each waits.
    pub fibers: Vec<Fiber>,
}

/// Makes the handle of a kind from its data ([`crate::handle::SavedHandle`]); `None`: there is no such kind.
pub type HandleLoader<'a> = &'a mut dyn FnMut(&str, &Data) -> Option<Rc<dyn Handle>>;

/// What cannot be written; the text says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable(pub String);

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a snapshot was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It was written by another version.
    Format(u8),
    /// It cannot be what [`Vm::save`] wrote.
    Damaged(String),
    /// The program has changed: the place, and what is different there.
    Changed {
        /// Path, and line where there is one.
        place: String,
        /// What changed.
        what: String,
    },
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreadable::Format(found) => {
                write!(f, "the state was written in format {found}; this version reads format {FORMAT}")
            }
            Unreadable::Damaged(detail) => write!(f, "the state is damaged: {detail}"),
            Unreadable::Changed { place, what } => {
                write!(f, "the program has changed since it was suspended: {place}: {what}")
            }
        }
    }
}

/// What a key of a module below the root begins with.
const BELOW: &str = "./";

fn damaged<T>(detail: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable::Damaged(detail.into()))
}

impl Vm {
    /// Writes fibers and values, the top-level variables of the program, and what they reach. Every fiber must be
    /// waiting and belong to this VM.
    pub fn save(&mut self, image: &Image<'_>) -> Result<Vec<u8>, Unwritable> {
        write::save(self, image)
    }

    /// Reads what [`Vm::save`] wrote into this VM, which has loaded the program's modules and has run nothing.
    /// `root` is the directory of the program now.
    pub fn restore(
        &mut self,
        bytes: &[u8],
        root: &str,
        handles: HandleLoader<'_>,
    ) -> Result<Restored, Unreadable> {
        read::restore(self, bytes, root, handles)
    }
}
