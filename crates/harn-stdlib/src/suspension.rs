//! What the builtins keep for a program and for a task, as far as a suspended run needs it again (spec 08 section 4.6).
//! Caches and the last id drawn are not part of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use harn_effect::Data;
use harn_vm::{Handle, ProgramState, TaskState, Value, View};

use crate::numbers::generator::Generator;
use crate::numbers::random::{Rng, Shared};
use crate::output::{Diverted, Threshold};
use crate::shared::{Atomic, Buffer};
use crate::web::Kept;

/// Kinds of state that a task has: the agent stack, which `harn-agent` saves, and where its output goes.
const TASK_PARTS: usize = 2;

/// The state of a program's builtins.
pub fn save_program(state: &mut ProgramState) -> Value {
    let level = i64::try_from(state.get::<Threshold>().0).unwrap_or(0);
    let random = state.get::<Shared>().0.as_ref().map(|generator| Value::bytes(generator.to_bytes()));
    let kept = &state.get::<Kept>().0;
    let kept = kept
        .iter()
        .map(|((kind, id), value)| Value::list(vec![Value::str(kind), Value::str(id), value.clone()]));
    Value::dict([
        ("kept", Value::list(kept.collect())),
        ("log_level", Value::int(level)),
        ("random", random.unwrap_or_default()),
    ])
}

/// Takes back what [`save_program`] gave.
pub fn load_program(state: &mut ProgramState, saved: &Value) {
    let View::Dict(saved) = saved.view() else { return };
    let level = saved.get("log_level").and_then(|level| level.as_int());
    state.get::<Threshold>().0 = level.and_then(|level| usize::try_from(level).ok()).unwrap_or(0);
    if let Some(View::Bytes(bytes)) = saved.get("random").as_ref().map(Value::view) {
        state.get::<Shared>().0 = Some(Generator::from_bytes(bytes));
    }
    let kept = &mut state.get::<Kept>().0;
    for entry in saved.get("kept").map(Value::into_list).unwrap_or_default() {
        if let [kind, id, value] = entry.into_list().as_slice()
            && let (Some(kind), Some(id)) = (kind.as_str(), id.as_str())
        {
            kept.insert((kind.to_owned(), id.to_owned()), value.clone());
        }
    }
}

/// The state of a task's builtins; an error when it has parts that this version cannot write.
pub fn save_task(state: &mut TaskState) -> Result<Data, String> {
    let diverted = state.get::<Diverted>().0;
    if state.parts() > TASK_PARTS {
        return Err("a task keeps state that cannot be written".to_owned());
    }
    Ok(Data::Bool(diverted))
}

/// Takes back what [`save_task`] gave.
pub fn load_task(state: &mut TaskState, saved: &Data) {
    state.get::<Diverted>().0 = saved.as_bool().unwrap_or(false);
}

/// Makes a handle of this crate again; `None` when there is no such kind.
pub fn load_handle(kind: &str, data: &Data) -> Option<Rc<dyn Handle>> {
    Some(match (kind, data) {
        ("atomic", Data::Int(n)) => Rc::new(Atomic(Cell::new(*n))),
        ("buffer", _) => Rc::new(Buffer::default()),
        ("rng", Data::Bytes(bytes)) => Rc::new(Rng(RefCell::new(Generator::from_bytes(bytes)))),
        _ => return None,
    })
}
