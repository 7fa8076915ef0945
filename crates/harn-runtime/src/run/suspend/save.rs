//! A run as data: its tasks and everything the scheduler and the services keep for them.

use super::super::Run;
use crate::schedule::channel::{Channel, ChannelState, SelectForm, Waiter};
use crate::schedule::group::{BodyResult, Group, GroupKind};
use crate::schedule::lock::{LockId, Release};
use crate::schedule::task::{Role, State, Wait};
use crate::schedule::{Task, TaskId};
use crate::service::Standing;
use harn_agent::stack::AgentStack;
use harn_effect::Data;
use harn_vm::snapshot::Image;
use harn_vm::{Fiber, Handle, Value, display, to_data};
use std::rc::Rc;

/// Values on their way into a snapshot; the data names them by their place.
#[derive(Default)]
pub(super) struct Values(pub Vec<Value>);

impl Values {
    pub fn put(&mut self, value: &Value) -> Data {
        self.0.push(value.clone());
        number(self.0.len() - 1)
    }

    fn channel(&mut self, channel: &Rc<Channel>) -> Data {
        let handle: Rc<dyn Handle> = channel.clone();
        self.put(&Value::handle(handle))
    }

    fn result(&mut self, result: &BodyResult) -> Data {
        match result {
            Ok(value) => Data::List(vec![Data::Bool(true), self.put(value)]),
            Err(error) => Data::List(vec![Data::Bool(false), self.put(&Value::raw_error(error.clone()))]),
        }
    }
}

pub(super) fn number(n: usize) -> Data {
    Data::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn count(n: u64) -> Data {
    Data::Int(n.cast_signed())
}

fn text(text: &str) -> Data {
    Data::from(text)
}

pub(crate) fn waiter(waiter: Waiter) -> Data {
    Data::List(vec![count(waiter.task.0), count(waiter.epoch)])
}

fn tasks<'a>(ids: impl IntoIterator<Item = &'a TaskId>) -> Data {
    Data::List(ids.into_iter().map(|id| count(id.0)).collect())
}

fn lock(id: &LockId) -> Data {
    Data::List(vec![text(id.kind.name()), text(&id.key)])
}

pub(crate) fn release(release: &Release) -> Data {
    Data::dict([
        ("lock", lock(&release.lock)),
        ("permits", release.permits.into()),
        ("since", release.since.into()),
    ])
}

/// The parts of a channel: data, and the values in it.
pub(crate) fn channel_parts(channel: &Channel) -> (Data, Vec<Value>) {
    let ChannelState { capacity, queue, closed, receivers, senders } = &*channel.state.borrow();
    // The name is for people: one that is no plain data is kept as it is shown.
    let name = to_data(&channel.name).unwrap_or_else(|_| Data::Str(display(&channel.name)));
    let data = Data::dict([
        ("name", name),
        ("capacity", number(*capacity)),
        ("closed", Data::Bool(*closed)),
        ("queued", number(queue.len())),
        ("receivers", Data::List(receivers.iter().map(|w| waiter(*w)).collect())),
        ("senders", Data::List(senders.iter().map(|(w, _)| waiter(*w)).collect())),
    ]);
    let values = queue.iter().chain(senders.iter().map(|(_, value)| value));
    (data, values.cloned().collect())
}

impl Run {
    /// What the run waits for, in the order of tasks; an error names what it is doing that cannot be written.
    pub(super) fn standings(&self) -> Result<Vec<Standing>, String> {
        let mut standings = Vec::new();
        for (_, task) in self.tasks.in_order() {
            match &task.state {
                State::Ready | State::Away(_) => return Err("a task is running".to_owned()),
                State::Waiting(Wait::Effect { ticket, call }) => {
                    let service = self.service_of.get(&call.request.op).and_then(|i| self.services.get(*i));
                    match service.and_then(|service| service.standing(*ticket)) {
                        Some(standing) => standings.push(standing),
                        None => return Err(format!("`{}` is under way", call.request.op.name())),
                    }
                }
                _ => {}
            }
        }
        Ok(standings)
    }

    /// The run as bytes. Nothing of it may be ready.
    pub(super) fn image(&mut self) -> Result<Vec<u8>, String> {
        if !self.supervisors.is_empty() {
            return Err("a supervisor runs".to_owned());
        }
        let mut values = Values::default();
        let mut stacks = Vec::new();
        for id in self.tasks.ids() {
            let Some(fiber) = self.tasks.get_mut(&id).and_then(|task| task.fiber.as_mut()) else {
                stacks.push(Data::Nil);
                continue;
            };
            let stack = fiber.task_state().get::<AgentStack>().to_value();
            let natives = harn_stdlib::suspension::save_task(fiber.task_state())?;
            stacks.push(Data::List(vec![values.put(&stack), natives]));
        }
        let mut fibers: Vec<&Fiber> = Vec::new();
        let mut list = Vec::new();
        for ((id, task), stack) in self.tasks.in_order().zip(stacks) {
            // The fiber of a task that is over holds nothing that is wanted.
            let over = matches!(task.state, State::Done(_));
            let fiber = task.fiber.as_ref().filter(|_| !over).map(|fiber| {
                fibers.push(fiber);
                number(fibers.len() - 1)
            });
            list.push(self.task(id, task, fiber, stack, &mut values)?);
        }
        let groups = self.groups.iter().map(|(id, group)| save_group(id.0, group, &mut values)).collect();
        let kept = harn_stdlib::suspension::save_program(self.vm.program_state());
        let services = self
            .services
            .iter()
            .map(|service| service.save().map(|data| Data::List(vec![text(service.name()), data])))
            .collect::<Result<Vec<_>, String>>()?;
        let state = Data::dict([
            ("tasks", Data::List(list)),
            ("groups", Data::List(groups)),
            ("timers", self.timers.save(|w| self.is_alive(w))),
            ("sleepers", self.sleepers.save(|w| self.is_alive(w))),
            (
                "next",
                Data::List(vec![count(self.next_task), count(self.next_group), count(self.next_ticket)]),
            ),
            ("locks", self.save_locks()),
            ("blocks", self.save_blocks()),
            ("mailboxes", self.save_mailboxes(&mut values)),
            ("shared", self.shared.save(&mut |value| values.put(value))),
            ("circuits", self.circuits.save()),
            ("clock", self.clock.save()),
            ("mocks", self.mocks.save()),
            ("recorder", self.recorder.save()),
            ("natives", values.put(&kept)),
            ("services", Data::List(services)),
        ]);
        let root = self.suspending.plan.as_ref().map_or("", |plan| &plan.root);
        let image = Image { root, state, values: &values.0, fibers: &fibers };
        self.vm.save(&image).map_err(|unwritable| unwritable.to_string())
    }

    fn task(
        &self,
        id: TaskId,
        task: &Task,
        fiber: Option<Data>,
        stack: Data,
        values: &mut Values,
    ) -> Result<Data, String> {
        let role = match task.role {
            Role::Root => vec![text("root")],
            Role::Spawned { owner } => vec![text("spawned"), count(owner.0)],
            Role::Supervised { .. } => return Err("a supervisor runs".to_owned()),
            Role::Body { group, index } => vec![text("body"), count(group.0), number(index)],
        };
        let state = match &task.state {
            State::Ready | State::Away(_) => return Err("a task is running".to_owned()),
            State::Done(result) => Data::List(vec![text("done"), values.result(result)]),
            State::Waiting(wait) => self.wait_data(wait, values)?,
        };
        let children = task.children.values().map(|c| Data::List(vec![count(c.id.0), number(c.deadlines)]));
        let context = Value::dict(task.context.clone());
        let identity = &task.identity;
        let optional = |text: &Option<Rc<str>>| text.as_deref().map_or(Data::Nil, Data::from);
        Ok(Data::dict([
            ("id", count(id.0)),
            ("role", Data::List(role)),
            ("fiber", fiber.unwrap_or_default()),
            ("stack", stack),
            ("state", state),
            ("epoch", count(task.epoch)),
            ("children", Data::List(children.collect())),
            ("groups", Data::List(task.groups.iter().map(|g| count(g.0)).collect())),
            ("flagged", Data::Bool(task.flagged)),
            ("output", text(&task.output)),
            ("readers", tasks(&task.readers)),
            ("names", Data::List(vec![count(task.names.spawned), count(task.names.groups)])),
            ("task_id", text(&identity.task_id())),
            ("parent_id", optional(&identity.parent_id)),
            ("made_by", text(&identity.name)),
            ("group_id", optional(&identity.group_id)),
            ("context", values.put(&context)),
        ]))
    }

    fn wait_data(&self, wait: &Wait, values: &mut Values) -> Result<Data, String> {
        Ok(Data::List(match wait {
            Wait::Supervisor(_) => return Err("a supervisor runs".to_owned()),
            Wait::Sleep => vec![text("sleep")],
            Wait::Await(target) => vec![text("await"), count(target.0)],
            Wait::Graceful(target) => vec![text("graceful"), count(target.0)],
            Wait::Group(group) => vec![text("group"), count(group.0)],
            Wait::Stream(group) => vec![text("stream"), count(group.0)],
            Wait::Receive { channel, next } => {
                vec![text("receive"), values.channel(channel), Data::Bool(*next)]
            }
            Wait::Send { channel } => vec![text("send"), values.channel(channel)],
            Wait::Select { channels, form } => {
                let list = channels.iter().map(|channel| values.channel(channel)).collect();
                vec![text("select"), Data::List(list), Data::Bool(*form == SelectForm::Builtin)]
            }
            Wait::Lock(id) => vec![text("lock"), lock(id)],
            Wait::Effect { ticket, call } => {
                let op = call.request.op;
                let service = self.service_of.get(&op).and_then(|index| self.services.get(*index));
                let Some(standing) = service.and_then(|service| service.standing(*ticket)) else {
                    return Err(format!("`{}` is under way", op.name()));
                };
                let args = call.request.args.clone();
                vec![text("effect"), count(ticket.0), text(op.name()), args, standing.data]
            }
        }))
    }

    fn save_locks(&self) -> Data {
        let locks = self.locks.by_id.iter().map(|(id, state)| {
            let queue = state.queue.iter().map(|w| {
                Data::List(vec![waiter(w.waiter), w.permits.into(), w.since.into(), Data::Bool(w.block)])
            });
            Data::dict([
                ("id", lock(id)),
                ("queue", Data::List(queue.collect())),
                ("max_queue", number(state.max_queue)),
                ("counts", Data::List(state.counts().map(Data::Int).to_vec())),
            ])
        });
        Data::List(locks.collect())
    }

    fn save_blocks(&self) -> Data {
        let blocks = self.blocks.iter().map(|(task, held)| {
            Data::List(vec![count(task.0), Data::List(held.iter().map(release).collect())])
        });
        Data::List(blocks.collect())
    }

    fn save_mailboxes(&self, values: &mut Values) -> Data {
        let boxes = self.mailboxes.iter().map(|((scope, name), found)| {
            Data::dict([
                ("scope", text(scope)),
                ("name", text(name)),
                ("channel", values.channel(&found.channel)),
                ("counts", Data::List([found.sent, found.received, found.failed].map(Data::Int).to_vec())),
            ])
        });
        Data::List(boxes.collect())
    }
}

fn save_group(id: u64, group: &Group, values: &mut Values) -> Data {
    let kind = match group.kind {
        GroupKind::All => "all",
        GroupKind::Settle => "settle",
        GroupKind::Stream => "stream",
        GroupKind::Race => "race",
    };
    let results = group.results.iter().map(|r| r.as_ref().map_or(Data::Nil, |r| values.result(r)));
    let results = Data::List(results.collect());
    let finished = Data::List(group.finished.iter().map(|r| values.result(r)).collect());
    Data::dict([
        ("id", count(id)),
        ("owner", count(group.owner.0)),
        ("kind", text(kind)),
        ("name", text(&group.name)),
        ("parent_id", text(&group.parent_id)),
        ("task_name", text(group.task_name)),
        ("body", values.put(&group.body)),
        ("items", Data::List(group.items.iter().map(|item| values.put(item)).collect())),
        ("next", number(group.next)),
        ("max", number(group.max)),
        ("running", tasks(&group.running)),
        ("results", results),
        ("outputs", Data::List(group.outputs.iter().map(|output| text(output)).collect())),
        ("finished", finished),
        ("reader", group.reader.map_or(Data::Nil, |id| count(id.0))),
        ("wanted", Data::Bool(group.wanted.get())),
    ])
}
