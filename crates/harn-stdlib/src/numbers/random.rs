//! Randomness (spec 05 section 5.3). Without a generator of the program's own, one that `prelude/time.harn` has seeded
//! from the host's random bytes is used.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use harn_effect::{Data, Op};
use harn_vm::{Handle, NativeCtx, SavedHandle, Value, View};

use super::generator::Generator;
use crate::arguments::{Body, done, effect, get, int, take, type_error};

/// The bodies.
pub const BODIES: &[Body] = &[
    ("rng_seed", |_, a| match int(a, 0) {
        Some(seed) => done(Value::handle(Rc::new(Rng(RefCell::new(Generator::from_seed(seed as u64)))))),
        None => type_error("rng_seed(seed): seed must be an integer"),
    }),
    ("__random_bytes", |_, a| {
        effect(Op::RandomBytes, Data::dict([("count", Data::Int(int(a, 0).unwrap_or(0)))]))
    }),
    ("__random_ready", |cx, _| done(cx.state::<Shared>().0.is_some())),
    ("__random_seed", |cx, a| {
        if let View::Bytes(bytes) = get(a, 0).view() {
            cx.state::<Shared>().0 = Some(Generator::from_bytes(bytes));
        }
        done(Value::NIL)
    }),
    ("__random", |cx, a| done(with(cx, get(a, 0), Generator::unit))),
    ("__random_int", |cx, a| {
        let rng = take(a, 0);
        let at = usize::from(is_rng(&rng));
        let bound = |i: usize| if i == 0 { rng.as_int() } else { int(a, i) };
        let Some(min) = bound(at) else { return type_error("random_int: min must be an integer") };
        let Some(max) = bound(at + 1) else { return type_error("random_int: max must be an integer") };
        if min > max {
            return done(Value::NIL);
        }
        done(with(cx, &rng, |g| g.between(min, max)))
    }),
    ("__random_choice", |cx, a| {
        let at = usize::from(is_rng(get(a, 0)));
        let View::List(list) = get(a, at).view() else { return done(Value::NIL) };
        if list.is_empty() {
            return done(Value::NIL);
        }
        let index = with(cx, get(a, 0), |g| g.below(list.len() as u64));
        done(list.get(index as usize))
    }),
    ("__random_shuffle", |cx, a| {
        let rng = get(a, 0).clone();
        let mut list = take(a, usize::from(is_rng(&rng)));
        let Some(items) = list.list_mut() else { return done(Value::NIL) };
        with(cx, &rng, |g| {
            for last in (1..items.len()).rev() {
                items.swap(last, g.below(last as u64 + 1) as usize);
            }
        });
        done(list)
    }),
];

/// The generator of a program that names none.
#[derive(Default)]
pub(crate) struct Shared(pub Option<Generator>);

/// What `rng_seed` makes.
pub(crate) struct Rng(pub RefCell<Generator>);

impl Handle for Rng {
    fn type_name(&self) -> &'static str {
        "rng"
    }

    fn display(&self) -> String {
        "<rng>".to_owned()
    }

    fn save(&self) -> Option<SavedHandle> {
        let data = Data::Bytes(self.0.borrow().to_bytes());
        Some(SavedHandle { kind: "rng", data, values: Vec::new() })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn rng(value: &Value) -> Option<&Rng> {
    match value.view() {
        View::Handle(handle) => handle.as_any().downcast_ref(),
        _ => None,
    }
}

fn is_rng(value: &Value) -> bool {
    rng(value).is_some()
}

fn with<T>(cx: &mut NativeCtx<'_>, value: &Value, draw: impl FnOnce(&mut Generator) -> T) -> T {
    match rng(value) {
        Some(Rng(generator)) => draw(&mut generator.borrow_mut()),
        None => draw(cx.state::<Shared>().0.get_or_insert_with(|| Generator::from_seed(0))),
    }
}
