//! The tasks of a run by their ids: a look-up costs the same however many there are. Whoever goes through all of them in
//! an order that can be seen asks for the order of creation.

use super::{Task, TaskId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Tasks by id.
#[derive(Default)]
pub(crate) struct Tasks(HashMap<TaskId, Box<Task>, BuildHasherDefault<Spread>>);

impl Tasks {
    /// The task, if it is still there.
    pub fn get(&self, id: &TaskId) -> Option<&Task> {
        self.0.get(id).map(|task| &**task)
    }

    /// The task, to be changed.
    pub fn get_mut(&mut self, id: &TaskId) -> Option<&mut Task> {
        self.0.get_mut(id).map(|task| &mut **task)
    }

    /// Adds a task.
    pub fn insert(&mut self, id: TaskId, task: Task) {
        self.0.insert(id, Box::new(task));
    }

    /// Forgets a task.
    pub fn remove(&mut self, id: &TaskId) -> Option<Box<Task>> {
        self.0.remove(id)
    }

    /// Whether the task is there.
    pub fn contains(&self, id: &TaskId) -> bool {
        self.0.contains_key(id)
    }

    /// All tasks in no order.
    pub fn any_order(&self) -> impl Iterator<Item = &Task> {
        self.0.values().map(|task| &**task)
    }

    /// The ids of all tasks in the order of creation.
    pub fn ids(&self) -> Vec<TaskId> {
        let mut ids: Vec<TaskId> = self.0.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// All tasks in the order of creation.
    pub fn in_order(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.ids().into_iter().filter_map(|id| Some((id, self.get(&id)?)))
    }
}

/// Ids are numbers that count up: a multiplication spreads them over the table. No program chooses them, so nothing has
/// to be kept from being guessed.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
