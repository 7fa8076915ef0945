//! `parallel` in its forms and `parallel_race` (spec 04 section 4.3).

use super::tasks::Birth;
use super::{Progressed, Run};
use crate::schedule::TaskId;
use crate::schedule::group::{BodyResult, Group, GroupId, GroupKind, GroupStream, race_verdict};
use crate::schedule::task::{Identity, Role, TaskName, Wait};
use harn_bytecode::ParallelKind;
use harn_vm::{Fiber, Value, View, VmError};
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

impl Run {
    pub(super) fn parallel(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        kind: ParallelKind,
        args: Vec<Value>,
    ) -> Progressed {
        let mut args = args.into_iter();
        let (operand, body, max) = (
            args.next().unwrap_or_default(),
            args.next().unwrap_or_default(),
            args.next().unwrap_or_default(),
        );
        let max = match max.view() {
            View::Nil => usize::MAX,
            View::Int(n) => usize::try_from(n).ok().filter(|n| *n > 0).unwrap_or(usize::MAX),
            _ => {
                let text = format!("parallel max_concurrent must be an int; got {}", max.type_name());
                fiber.resume_error(VmError::ty(text));
                return Progressed::Answered;
            }
        };
        let items = match items(kind, &operand) {
            Ok(items) => items,
            Err(error) => {
                fiber.resume_error(error);
                return Progressed::Answered;
            }
        };
        let kind = match kind {
            ParallelKind::Count => (GroupKind::All, ("parallel", "parallel")),
            ParallelKind::Each => (GroupKind::All, ("parallel_each", "parallel each")),
            ParallelKind::Settle => (GroupKind::Settle, ("parallel_settle", "parallel settle")),
            ParallelKind::Stream => (GroupKind::Stream, ("parallel_each_stream", "parallel each as stream")),
        };
        self.open_group(id, fiber, kind, body, items, max)
    }

    pub(super) fn race(&mut self, id: TaskId, fiber: &mut Fiber, args: Vec<Value>) -> Progressed {
        match race_arguments(&args) {
            Ok((items, body, max)) => {
                let kind = (GroupKind::Race, ("parallel_race", "parallel race"));
                self.open_group(id, fiber, kind, body, items, max)
            }
            Err(error) => {
                fiber.resume_error(error);
                Progressed::Answered
            }
        }
    }

    fn open_group(
        &mut self,
        id: TaskId,
        fiber: &mut Fiber,
        (kind, names): (GroupKind, (&'static str, &'static str)),
        body: Value,
        items: Vec<Value>,
        max: usize,
    ) -> Progressed {
        let group_id = GroupId(self.next_group);
        self.next_group += 1;
        let (word, task_name) = names;
        let parent = self.tasks.get_mut(&id).map(|task| {
            task.names.groups += 1;
            (task.identity.task_id(), task.names.groups)
        });
        let (parent_id, number) = parent.unwrap_or_default();
        let count = items.len();
        let wanted = Rc::new(Cell::new(true));
        let group = Group {
            owner: id,
            kind,
            name: format!("{parent_id}:{word}:{number}").into(),
            parent_id: parent_id.into(),
            task_name,
            body,
            items: items.into(),
            next: 0,
            max,
            running: BTreeSet::new(),
            results: (0..count).map(|_| None).collect(),
            outputs: vec![String::new(); count],
            finished: VecDeque::new(),
            reader: None,
            wanted: wanted.clone(),
        };
        self.groups.insert(group_id, group);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.groups.push(group_id);
        }
        self.start_bodies(group_id, fiber);
        match kind {
            GroupKind::Stream => {
                fiber.resume_value(Value::handle(Rc::new(GroupStream { group: group_id, wanted })));
                Progressed::Answered
            }
            _ if count == 0 => {
                let result =
                    self.groups.remove(&group_id).map_or(Ok(Value::NIL), |mut group| group.combine());
                self.forget_group(id, group_id);
                answer(fiber, result);
                Progressed::Answered
            }
            _ => Progressed::Suspended(Wait::Group(group_id)),
        }
    }

    /// Starts bodies as far as the limit allows; `parent` is the fiber of the owner.
    fn start_bodies(&mut self, group_id: GroupId, parent: &Fiber) {
        while let Some(group) = self.groups.get_mut(&group_id) {
            if !group.may_start() {
                return;
            }
            let Some(item) = group.items.pop_front() else { return };
            let (owner, body, index) = (group.owner, group.body.clone(), group.next);
            group.next += 1;
            let identity = Identity {
                id: TaskName::Numbered(group.name.clone(), index as u64),
                parent_id: Some(group.parent_id.clone()),
                name: group.task_name.into(),
                group_id: Some(group.name.clone()),
            };
            let role = Role::Body { group: group_id, index };
            let task = self.child(owner, parent, Birth { role, identity, body, args: vec![item] });
            if let Some(group) = self.groups.get_mut(&group_id) {
                group.running.insert(task);
            }
        }
    }

    /// Starts bodies while the owner is parked.
    fn start_more(&mut self, group_id: GroupId) {
        let Some(owner) = self.groups.get(&group_id).map(|group| group.owner) else { return };
        let Some(fiber) = self.tasks.get_mut(&owner).and_then(|task| task.fiber.take()) else { return };
        self.start_bodies(group_id, &fiber);
        if let Some(task) = self.tasks.get_mut(&owner) {
            task.fiber = Some(fiber);
        }
    }

    /// A body has ended.
    pub(super) fn body_done(
        &mut self,
        group_id: GroupId,
        index: usize,
        id: TaskId,
        output: String,
        result: BodyResult,
    ) {
        let Some(group) = self.groups.get_mut(&group_id) else { return };
        group.running.remove(&id);
        let owner = group.owner;
        match group.kind {
            GroupKind::All | GroupKind::Settle => {
                // Of a body that failed the text comes at once.
                let failed = result.is_err();
                if let Some(slot) = group.results.get_mut(index) {
                    *slot = Some(result);
                }
                if failed {
                    self.print(owner, &output);
                } else if let Some(slot) = group.outputs.get_mut(index) {
                    *slot = output;
                }
                let over = self.groups.get(&group_id).is_none_or(Group::is_over);
                if over { self.close_group(group_id) } else { self.start_more(group_id) }
            }
            GroupKind::Stream if !group.wanted.get() => {
                self.print(owner, &output);
                self.drop_group(group_id);
            }
            GroupKind::Stream => {
                let failed = result.is_err();
                group.finished.push_back(result);
                if failed {
                    group.items.clear();
                }
                self.print(owner, &output);
                if failed {
                    self.stop_bodies(group_id);
                }
                self.feed_stream(group_id);
                self.start_more(group_id);
            }
            GroupKind::Race => {
                self.print(owner, &output);
                match race_verdict(&result) {
                    Ok(value) => self.win_race(group_id, value),
                    Err(_) => {
                        group_failed(self.groups.get_mut(&group_id), result);
                        self.lose_race(group_id);
                    }
                }
            }
        }
    }

    fn close_group(&mut self, group_id: GroupId) {
        let Some(mut group) = self.groups.remove(&group_id) else { return };
        self.forget_group(group.owner, group_id);
        for output in std::mem::take(&mut group.outputs) {
            self.print(group.owner, &output);
        }
        let result = group.combine();
        self.wake(group.owner, |fiber| answer(fiber, result));
    }

    fn win_race(&mut self, group_id: GroupId, value: Value) {
        let Some(owner) = self.groups.get(&group_id).map(|group| group.owner) else { return };
        self.drop_group(group_id);
        self.wake(owner, |fiber| fiber.resume_value(value));
    }

    fn lose_race(&mut self, group_id: GroupId) {
        let Some(group) = self.groups.get(&group_id) else { return };
        if !group.is_over() {
            return self.start_more(group_id);
        }
        let failures: Vec<String> = group.finished.iter().filter_map(|r| race_verdict(r).err()).collect();
        let error = VmError::runtime(format!(
            "parallel_race: all {} task(s) failed: {}",
            failures.len(),
            failures.join("; ")
        ));
        let owner = group.owner;
        self.groups.remove(&group_id);
        self.forget_group(owner, group_id);
        self.wake(owner, |fiber| fiber.resume_error(error));
    }

    /// The next value of a streamed `parallel`.
    pub(super) fn stream_next(&mut self, id: TaskId, fiber: &mut Fiber, group_id: GroupId) -> Progressed {
        let Some(group) = self.groups.get_mut(&group_id) else {
            fiber.resume_end();
            return Progressed::Answered;
        };
        match group.finished.pop_front() {
            Some(Ok(value)) => {
                fiber.resume_value(value);
                self.start_bodies(group_id, fiber);
                Progressed::Answered
            }
            Some(Err(error)) => {
                self.drop_group(group_id);
                fiber.resume_error(error);
                Progressed::Answered
            }
            None if group.is_over() => {
                self.drop_group(group_id);
                fiber.resume_end();
                Progressed::Answered
            }
            None => {
                group.reader = Some(id);
                Progressed::Suspended(Wait::Stream(group_id))
            }
        }
    }

    /// Hands a finished value to the consumer that waits for it.
    fn feed_stream(&mut self, group_id: GroupId) {
        let Some(group) = self.groups.get_mut(&group_id) else { return };
        let Some(reader) = group.reader else { return };
        match group.finished.pop_front() {
            Some(Ok(value)) => self.wake(reader, |fiber| fiber.resume_value(value)),
            Some(Err(error)) => {
                self.wake(reader, |fiber| fiber.resume_error(error));
                self.drop_group(group_id);
            }
            None if group.is_over() => {
                self.wake(reader, Fiber::resume_end);
                self.drop_group(group_id);
            }
            None => {}
        }
    }

    fn stop_bodies(&mut self, group_id: GroupId) {
        let running = self.groups.get_mut(&group_id).map(|group| std::mem::take(&mut group.running));
        for id in running.unwrap_or_default() {
            self.stop(id);
        }
    }

    /// Forgets a group and stops its bodies.
    pub(super) fn drop_group(&mut self, group_id: GroupId) {
        self.stop_bodies(group_id);
        if let Some(group) = self.groups.remove(&group_id) {
            self.forget_group(group.owner, group_id);
        }
    }

    fn forget_group(&mut self, owner: TaskId, group_id: GroupId) {
        if let Some(task) = self.tasks.get_mut(&owner) {
            task.groups.retain(|group| *group != group_id);
        }
    }
}

fn group_failed(group: Option<&mut Group>, result: BodyResult) {
    if let Some(group) = group {
        group.finished.push_back(result);
    }
}

fn answer(fiber: &mut Fiber, result: BodyResult) {
    match result {
        Ok(value) => fiber.resume_value(value),
        Err(error) => fiber.resume_error(error),
    }
}

/// Most bodies of one `parallel`: more would not fit into memory.
const MOST_BODIES: i64 = 100_000_000;

/// What the bodies get, one each.
fn items(kind: ParallelKind, operand: &Value) -> Result<Vec<Value>, Box<VmError>> {
    let count = match operand.view() {
        View::Int(n) => n,
        View::Range { start, end, .. } => end.saturating_sub(start),
        _ => 0,
    };
    if count > MOST_BODIES {
        return Err(VmError::runtime(format!(
            "parallel: {count} bodies are more than the {MOST_BODIES} allowed"
        )));
    }
    if kind == ParallelKind::Count {
        return Ok(match operand.view() {
            View::Int(n) if n > 0 => (0..n).map(Value::int).collect(),
            _ => Vec::new(),
        });
    }
    match operand.view() {
        View::List(list) => Ok(list.to_vec()),
        View::Set(set) => Ok(set.iter().cloned().collect()),
        View::Range { start, end, exclusive } => {
            let end = if exclusive { end } else { end.saturating_add(1) };
            Ok((start..end).map(Value::int).collect())
        }
        _ => Err(VmError::ty(format!("parallel each: expected a list, got {}", operand.type_name()))),
    }
}

fn race_arguments(args: &[Value]) -> Result<(Vec<Value>, Value, usize), Box<VmError>> {
    let items = args.first().cloned().unwrap_or_default();
    let View::List(list) = items.view() else {
        return Err(VmError::ty(format!(
            "parallel_race: first argument must be a list, got {}",
            items.type_name()
        )));
    };
    let body = args.get(1).cloned().unwrap_or_default();
    if !body.is_callable() {
        return Err(VmError::ty(format!(
            "parallel_race: argument 2 must be callable, got {}",
            body.type_name()
        )));
    }
    if list.is_empty() {
        return Err(VmError::runtime("parallel_race: expected at least one item"));
    }
    let option = args.get(2).cloned().unwrap_or_default();
    let limit = match option.view() {
        View::Dict(options) => options.get("max_concurrent").unwrap_or_default(),
        View::Nil | View::Int(_) => option.clone(),
        _ => {
            return Err(VmError::ty(format!(
                "parallel_race: third argument must be max_concurrent int or options dict, got {}",
                option.type_name()
            )));
        }
    };
    let max = match limit.view() {
        View::Nil => usize::MAX,
        View::Int(n) => usize::try_from(n).ok().filter(|n| *n > 0).unwrap_or(usize::MAX),
        _ => {
            return Err(VmError::ty(format!(
                "parallel_race: max_concurrent must be an int, got {}",
                limit.type_name()
            )));
        }
    };
    Ok((list.to_vec(), body, max))
}
