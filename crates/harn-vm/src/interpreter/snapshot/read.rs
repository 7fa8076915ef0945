//! From bytes to a VM.

use std::collections::VecDeque;
use std::rc::Rc;

use harn_bytecode::fingerprint;

use super::bytes::In;
use super::write::{DECLARED, DELIVER, FUNCTION, HALT, flavour};
use super::{BELOW, FORMAT, HandleLoader, MAGIC, Restored, Unreadable, damaged, frames};
use crate::builtin::BuiltinId;
use crate::error::{ErrorKind, VmError};
use crate::interpreter::Vm;
use crate::interpreter::fiber::{Delivery, Fiber, Pull, Waiting};
use crate::interpreter::unwind::pc_index;
use crate::value::cell::{DictCell, ErrorCell, GeneratorCell, GeneratorState, IterCell, SetCell};
use crate::value::code::{self, Code, Unit};
use crate::value::shape::Shape;
use crate::value::slots::SlotsCell;
use crate::value::strand::{Frame, Strand};
use crate::value::table::Table;
use crate::value::{Value, shape, tag};

type Read<T> = Result<T, Unreadable>;

/// Registers of one strand at most: the depth limit times a wide frame.
const MOST_REGISTERS: usize = 1 << 26;

struct Reader<'v, 'b> {
    vm: &'v mut Vm,
    bytes: In<'b>,
    root: &'b str,
    codes: Vec<*const Code>,
    objects: Vec<Value>,
    /// Numbers of the objects that are declared and not yet filled.
    unfilled: VecDeque<usize>,
}

pub(super) fn restore(vm: &mut Vm, bytes: &[u8], root: &str, handles: HandleLoader<'_>) -> Read<Restored> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return damaged("it is no snapshot") };
    let mut reader = Reader {
        vm,
        bytes: In(rest),
        root,
        codes: Vec::new(),
        objects: Vec::new(),
        unfilled: VecDeque::new(),
    };
    let format = reader.bytes.byte()?;
    if format != FORMAT {
        return Err(Unreadable::Format(format));
    }
    reader.code_table()?;
    let count = reader.bytes.count()?;
    for _ in 0..count {
        let object = reader.object(handles)?;
        reader.objects.push(object);
    }
    while let Some(number) = reader.unfilled.pop_front() {
        reader.fill(number)?;
    }
    reader.globals()?;
    let count = reader.bytes.count()?;
    let values = (0..count).map(|_| reader.value()).collect::<Read<_>>()?;
    let count = reader.bytes.count()?;
    let fibers = (0..count).map(|_| reader.fiber()).collect::<Read<_>>()?;
    let state = reader.bytes.data()?;
    if !reader.bytes.0.is_empty() {
        return damaged("something follows its end");
    }
    Ok(Restored { state, values, fibers })
}

impl Reader<'_, '_> {
    fn unit(&mut self, path: &str) -> Read<Rc<Unit>> {
        self.vm.unit(path).map_err(|_| Unreadable::Changed {
            place: path.to_owned(),
            what: "the module is gone".to_owned(),
        })
    }

    fn code_table(&mut self) -> Read<()> {
        let count = self.bytes.count()?;
        for _ in 0..count {
            let path = self.path()?;
            let number = usize::try_from(self.bytes.number()?).unwrap_or(usize::MAX);
            let name = self.bytes.text()?;
            let line = self.bytes.number()?;
            let wanted = self.bytes.fixed()?;
            let on_frame = self.bytes.byte()? != 0;
            let unit = self.unit(&path)?;
            let found = find_code(&unit, number, name, wanted, on_frame);
            let Some(found) = found.and_then(|number| unit.functions.get(number)) else {
                return Err(changed(&unit, name, line));
            };
            self.codes.push(found);
        }
        Ok(())
    }

    fn globals(&mut self) -> Read<()> {
        // The modules of the program as it is now; library modules that come later run their initialisation when they
        // are first called.
        let mut fresh: Vec<String> = self.vm.units.keys().cloned().collect();
        self.vm.initialised.clear();
        let count = self.bytes.count()?;
        for _ in 0..count {
            let path = self.path()?;
            fresh.retain(|known| *known != path);
            let initialised = self.bytes.byte()? != 0;
            let unit = self.unit(&path)?;
            let variables = self.bytes.count()?;
            let mut given = vec![false; unit.module.globals.len()];
            for _ in 0..variables {
                let name = self.bytes.text()?;
                let value = self.value()?;
                // A variable that is gone from the program is of no interest any more.
                let Some(slot) = unit.module.globals.iter().position(|global| global.name == name) else {
                    continue;
                };
                if let Some(given) = given.get_mut(slot) {
                    *given = true;
                }
                drop(unit.link.globals.set(slot, value));
            }
            if initialised {
                if let Some(slot) = given.iter().position(|given| !given) {
                    let name = unit.module.globals.get(slot).map_or("", |global| &global.name);
                    return Err(Unreadable::Changed {
                        place: unit.module.display_path.clone(),
                        what: format!("the variable `{name}` is new"),
                    });
                }
                self.vm.initialised.insert(path, true);
            }
        }
        match fresh.into_iter().find(|path| self.vm.units.get(path).is_some_and(|u| u.module.init.is_some()))
        {
            Some(place) => Err(Unreadable::Changed { place, what: "the module is new".to_owned() }),
            None => Ok(()),
        }
    }

    fn path(&mut self) -> Read<String> {
        let path = self.bytes.text()?;
        Ok(match path.strip_prefix(BELOW) {
            Some(rest) => format!("{}{rest}", self.root),
            None => path.to_owned(),
        })
    }

    fn reference(&mut self) -> Read<Value> {
        let number = self.bytes.below(self.objects.len(), "object")?;
        match self.objects.get(number) {
            Some(object) => Ok(object.clone()),
            None => damaged("an object is missing"),
        }
    }

    fn value(&mut self) -> Read<Value> {
        let kind = self.bytes.byte()?;
        self.value_of(kind)
    }

    fn value_of(&mut self, kind: u8) -> Read<Value> {
        Ok(match kind {
            tag::NIL => Value::NIL,
            tag::ABSENT => Value::ABSENT,
            tag::BOOL => Value::bool(self.bytes.byte()? != 0),
            tag::INT => Value::int(self.bytes.signed()?),
            tag::DURATION => Value::duration(self.bytes.signed()?),
            tag::FLOAT => Value::float(self.bytes.float()?),
            tag::RAW => Value::raw_number(self.bytes.number()?),
            tag::STR => Value::str(self.bytes.text()?),
            tag::BUILTIN => {
                let name = self.bytes.text()?;
                match self.vm.registry.find_builtin(name) {
                    Some((id, _)) => Value::builtin(id),
                    None => return damaged(format!("there is no builtin `{name}`")),
                }
            }
            0x80 => self.reference()?,
            other => return damaged(format!("there is no value of kind {other}")),
        })
    }

    fn values(&mut self) -> Read<Vec<Value>> {
        let count = self.bytes.count()?;
        (0..count).map(|_| self.value()).collect()
    }

    fn object(&mut self, handles: HandleLoader<'_>) -> Read<Value> {
        Ok(match self.bytes.byte()? {
            DECLARED => {
                let object = self.declared(handles)?;
                self.unfilled.push_back(self.objects.len());
                object
            }
            tag::HEAP_STR => Value::str(self.bytes.text()?),
            tag::BYTES => Value::bytes(self.bytes.blob()?.to_vec()),
            tag::RANGE => {
                let (start, end) = (self.bytes.signed()?, self.bytes.signed()?);
                Value::range(start, end, self.bytes.byte()? != 0)
            }
            tag::LIST => Value::list(self.values()?),
            tag::SET => {
                let mut set = SetCell::alloc(Table::default());
                for item in self.values()? {
                    set.set_insert(item);
                }
                set
            }
            tag::DICT => {
                let mut dict = DictCell::alloc(Table::default());
                let count = self.bytes.count()?;
                for _ in 0..count {
                    let (key, item) = (self.value()?, self.value()?);
                    if key.as_str().is_none() {
                        return damaged("a key is no string");
                    }
                    dict.dict_set_value(&key, item);
                }
                dict
            }
            tag::RECORD => {
                let count = self.bytes.count()?;
                let mut dict = Value::dict::<&str>([]);
                for _ in 0..count {
                    let key = self.bytes.text()?;
                    let item = self.value()?;
                    dict.dict_set(key, item);
                }
                dict
            }
            tag::STRUCT => self.structure()?,
            tag::ENUM => {
                let (name, variant) = (self.bytes.text()?, self.bytes.text()?);
                Value::enum_value(name, variant, self.values()?)
            }
            tag::PAIR => match <[Value; 2]>::try_from(self.values()?) {
                Ok([first, second]) => Value::pair(first, second),
                Err(_) => return damaged("a pair of another size"),
            },
            tag::CLOSURE => self.closure()?,
            tag::ITER => {
                let iter = IterCell::alloc(self.value()?);
                iter.iter_cell().position.set(self.bytes.number()?);
                iter
            }
            tag::ERROR => {
                let error = if self.bytes.byte()? == 0 { None } else { Some(self.error()?) };
                let empty = error.is_none();
                let cell = ErrorCell::alloc(error.unwrap_or_else(|| VmError::new(ErrorKind::Cancelled)));
                if empty {
                    cell.error_cell().error.borrow_mut().take();
                }
                cell
            }
            other => return damaged(format!("there is no object of kind {other}")),
        })
    }

    fn declared(&mut self, handles: HandleLoader<'_>) -> Read<Value> {
        Ok(match self.bytes.byte()? {
            tag::CELL => self.vm.new_cell(),
            tag::GENERATOR => {
                let Some(flavour) = flavour(self.bytes.byte()?) else {
                    return damaged("a generator of no known kind");
                };
                let generator = GeneratorCell::alloc(flavour, Box::new(self.empty_strand()));
                *generator.generator_cell().state.borrow_mut() = GeneratorState::Done;
                generator
            }
            tag::HANDLE => {
                let kind = self.bytes.text()?;
                let data = self.bytes.data()?;
                match handles(kind, &data) {
                    Some(handle) => Value::handle(handle),
                    None => return damaged(format!("there is no handle of kind `{kind}`")),
                }
            }
            other => return damaged(format!("an object of kind {other} is declared")),
        })
    }

    fn structure(&mut self) -> Read<Value> {
        let (module, name) = (self.path()?, self.bytes.text()?);
        let count = self.bytes.count()?;
        let fields: Vec<String> =
            (0..count).map(|_| self.bytes.text().map(str::to_owned)).collect::<Read<_>>()?;
        let shape: *const Shape = shape::of_struct(shape::struct_type(&module, name, &fields));
        let mut value = SlotsCell::alloc_from(tag::STRUCT, shape.cast(), Vec::new());
        let count = self.bytes.count()?;
        for _ in 0..count {
            let key = self.bytes.text()?;
            let item = self.value()?;
            value.dict_set(key, item);
        }
        Ok(value)
    }

    fn closure(&mut self) -> Read<Value> {
        let number = self.bytes.below(self.codes.len(), "function")?;
        let Some(code) = self.codes.get(number).copied() else { return damaged("a function is missing") };
        let named = self.bytes.byte()? != 0;
        let captures = self.values()?;
        // SAFETY: codes of the table belong to units of the VM.
        if unsafe { usize::from((*code).function().captures) } != captures.len() {
            return damaged("a closure with another number of captures");
        }
        if named && captures.is_empty() {
            return Ok(self.vm.function_value(code));
        }
        // SAFETY: the captures move into the closure and are not dropped here.
        Ok(unsafe {
            let closure = code::closure(code, captures.as_ptr(), captures.len());
            let mut captures = captures;
            captures.set_len(0);
            closure
        })
    }

    fn error(&mut self) -> Read<Box<VmError>> {
        let kind = match self.bytes.byte()? {
            0 => ErrorKind::Thrown(self.value()?),
            8 => ErrorKind::Categorised {
                category: self.bytes.text()?.to_owned(),
                text: self.bytes.text()?.to_owned(),
            },
            9 => ErrorKind::Deadline { level: usize::try_from(self.bytes.number()?).unwrap_or(usize::MAX) },
            kind => {
                let text = self.bytes.text()?.to_owned();
                match kind {
                    1 => ErrorKind::Type(text),
                    2 => ErrorKind::Runtime(text),
                    3 => ErrorKind::Division,
                    4 => ErrorKind::UndefinedVariable(text),
                    5 => ErrorKind::UndefinedBuiltin(text),
                    6 => ErrorKind::Immutable(text),
                    7 => ErrorKind::StackOverflow,
                    10 => ErrorKind::Cancelled,
                    other => return damaged(format!("there is no error of kind {other}")),
                }
            }
        };
        let mut error = VmError::new(kind);
        error.trace = frames::read_trace(&mut self.bytes)?;
        Ok(error)
    }

    fn fill(&mut self, number: usize) -> Read<()> {
        let Some(object) = self.objects.get(number).cloned() else { return damaged("an object is missing") };
        match object.tag() {
            tag::CELL => {
                let content = self.value()?;
                drop(object.cell_cell().value.replace(content));
            }
            tag::GENERATOR => {
                let state = match self.bytes.byte()? {
                    0 => GeneratorState::Done,
                    1 => GeneratorState::Running,
                    2 => GeneratorState::Suspended(Box::new(self.strand(None)?)),
                    _ => return damaged("a generator in no known state"),
                };
                *object.generator_cell().state.borrow_mut() = state;
            }
            _ => {
                let values = self.values()?;
                if let crate::value::View::Handle(handle) = object.view() {
                    handle.fill(values);
                }
            }
        }
        Ok(())
    }

    fn fiber(&mut self) -> Read<Fiber> {
        let (waiting, delivery) = match self.bytes.byte()? {
            0 => {
                let dst = usize::try_from(self.bytes.number()?).unwrap_or(usize::MAX);
                let name = self.bytes.text()?;
                let builtin = self.vm.registry.find_builtin(name).map(|(id, _)| id);
                let builtin = builtin.or_else(|| (!name.is_empty()).then(|| BuiltinId::of(name)));
                (Waiting::Effect { dst, then: None, builtin }, Delivery::Register(dst))
            }
            1 => {
                let delivery = self.delivery()?;
                (Waiting::Control { delivery }, delivery)
            }
            _ => return damaged("a task that waits for nothing known"),
        };
        let strand = self.strand(Some(delivery))?;
        let count = self.bytes.count()?;
        let mut pulls = Vec::new();
        for _ in 0..count {
            let delivery = self.delivery()?;
            let generator = self.value()?;
            let running = generator.tag() == tag::GENERATOR
                && matches!(*generator.generator_cell().state.borrow(), GeneratorState::Running);
            if !running {
                return damaged("a generator that is pulled does not run");
            }
            let strand = Box::new(self.strand(Some(delivery))?);
            pulls.push(Pull { strand, generator, delivery });
        }
        pulls.reverse();
        let count = self.bytes.count()?;
        let deadlines = (0..count).map(|_| self.bytes.signed()).collect::<Read<_>>()?;
        let queue = self.values()?.into();
        let last_args = self.values()?;
        let mut fiber = Fiber::new(self.vm.id, queue, last_args, self.vm.bottom());
        *fiber.strand = strand;
        fiber.pulls = pulls;
        fiber.deadlines = deadlines;
        fiber.waiting = Some(waiting);
        fiber.started = true;
        Ok(fiber)
    }

    fn delivery(&mut self) -> Read<Delivery> {
        let kind = self.bytes.byte()?;
        if kind == 1 {
            return Ok(Delivery::Loop);
        }
        let dst = usize::try_from(self.bytes.number()?).unwrap_or(usize::MAX);
        match kind {
            0 => Ok(Delivery::Register(dst)),
            2 => Ok(Delivery::Next(dst)),
            3 => Ok(Delivery::Select(dst)),
            _ => damaged("a delivery of no known kind"),
        }
    }

    fn empty_strand(&self) -> Strand {
        Strand { registers: Vec::new(), frames: vec![self.vm.bottom()], top: 0, base: 0 }
    }

    fn strand(&mut self, delivery: Option<Delivery>) -> Read<Strand> {
        let count = self.bytes.count()?;
        if count == 0 || count > self.vm.limits.depth.saturating_add(1) {
            return damaged("a number of frames");
        }
        let mut frames = Vec::with_capacity(count + 4);
        let mut bases = Vec::with_capacity(count);
        let mut base = 0usize;
        let mut end = 0usize;
        for at in 0..count {
            let (code, pc) = match self.bytes.byte()? {
                HALT if at == 0 => {
                    let bottom = self.vm.bottom();
                    (bottom.code, bottom.pc)
                }
                DELIVER if at > 0 => {
                    let code: *const Code = &self.vm.stubs.deliver;
                    // SAFETY: code of the VM's own.
                    (code, unsafe { (*code).start })
                }
                FUNCTION if at > 0 => {
                    let number = self.bytes.below(self.codes.len(), "function")?;
                    let Some(code) = self.codes.get(number).copied() else {
                        return damaged("a function is missing");
                    };
                    // SAFETY: codes of the table belong to units of the VM; the offset stays inside the code.
                    unsafe {
                        let pc = self.bytes.below((*code).function().code.len(), "instruction")?;
                        (code, (*code).start.add(pc))
                    }
                }
                _ => return damaged("a frame of no known kind"),
            };
            let delta = u32::try_from(self.bytes.number()?).or_else(|_| damaged("a frame out of place"))?;
            base = base.saturating_add(delta as usize);
            // SAFETY: as above.
            end = end.max(base.saturating_add(unsafe { (*code).registers as usize }));
            bases.push(base);
            frames.push(Frame { code, pc, delta });
        }
        let wanted = usize::try_from(self.bytes.number()?).unwrap_or(usize::MAX).max(end + 2);
        if wanted > MOST_REGISTERS {
            return damaged("too many registers");
        }
        let used = self.bytes.count()?;
        if used > wanted {
            return damaged("more values than registers");
        }
        let mut registers = Vec::with_capacity(wanted);
        for at in 0..used {
            let kind = self.bytes.byte()?;
            if kind != tag::BORROWED {
                registers.push(self.value_of(kind)?);
                continue;
            }
            let closure = self.reference()?;
            if closure.tag() != tag::CLOSURE || !bases.contains(&at) {
                return damaged("something that is no closure is borrowed");
            }
            registers.push(code::borrowed(&closure));
            // The owner is a register of a calling frame; that this is so is not taken on trust.
            self.vm.pinned.push(closure);
        }
        registers.resize_with(wanted, Value::default);
        self.check_frames(&frames, &bases, &registers)?;
        let top = count - 1;
        let strand_end = registers.len();
        let fits = match delivery {
            None => true,
            Some(Delivery::Loop) => frames.get(top).is_some_and(is_at_loop),
            Some(Delivery::Register(dst)) => dst < strand_end,
            Some(Delivery::Next(dst) | Delivery::Select(dst)) => dst < strand_end - 1,
        };
        if !fits {
            return damaged("a result has no place to go");
        }
        frames.resize(count + 4, self.vm.bottom());
        let strand = Strand { registers, frames, top, base };
        frames::check_owned(&strand, &bases, delivery).or_else(damaged)?;
        Ok(strand)
    }

    /// What the code of each frame takes for granted about register 0.
    fn check_frames(&self, frames: &[Frame], bases: &[usize], registers: &[Value]) -> Read<()> {
        for (at, (frame, base)) in frames.iter().zip(bases).enumerate() {
            // SAFETY: the frame has just been made of code of this VM.
            let code = unsafe { &*frame.code };
            let Some(own) = registers.get(*base) else { return damaged("a frame out of place") };
            if std::ptr::eq(code, &self.vm.stubs.deliver) {
                let caller = at.checked_sub(1).and_then(|before| bases.get(before)).copied().unwrap_or(0);
                let target = caller.saturating_add(usize::try_from(own.payload).unwrap_or(usize::MAX));
                if own.tag() != tag::RAW || target >= registers.len() {
                    return damaged("a result has no place to go");
                }
                continue;
            }
            if code.unit.is_null() {
                continue;
            }
            let is_own = matches!(own.tag(), tag::CLOSURE | tag::BORROWED)
                && std::ptr::eq(code::code_of(own), frame.code);
            if code.function().captures > 0 && !is_own {
                return damaged("a closure runs without its captures");
            }
        }
        Ok(())
    }
}

/// Whether the instruction that a frame waits at is a loop's.
fn is_at_loop(frame: &Frame) -> bool {
    // SAFETY: the pc of a frame lies inside the code of its function.
    unsafe {
        let code = &*frame.code;
        !code.unit.is_null()
            && code
                .function()
                .code
                .get(pc_index(frame) as usize)
                .is_some_and(|ins| ins.op() == harn_bytecode::Op::IterLoop)
            && frame.pc > code.start
    }
}

/// The function with this fingerprint: where it was, else wherever it is now. A named function that is only held as a
/// value, and has nothing captured, may have changed: it is called by its name as it is now.
fn find_code(unit: &Unit, number: usize, name: &str, wanted: u64, on_frame: bool) -> Option<usize> {
    let module = &unit.module;
    let same = |at: usize| fingerprint(module, at) == wanted;
    let named = |at: &usize| module.functions.get(*at).is_some_and(|f| f.name == name);
    if Some(number).filter(named).is_some_and(same) {
        return Some(number);
    }
    let candidates: Vec<usize> = (0..module.functions.len()).filter(named).collect();
    if let Some(found) = candidates.iter().copied().find(|at| same(*at)) {
        return Some(found);
    }
    match candidates.as_slice() {
        [only] if !on_frame && !name.is_empty() => {
            module.functions.get(*only).filter(|f| f.captures == 0).map(|_| *only)
        }
        _ => None,
    }
}

fn changed(unit: &Unit, name: &str, line: u64) -> Unreadable {
    let module = &unit.module;
    let now = module.functions.iter().find(|f| f.name == name && !name.is_empty());
    let line =
        now.and_then(|f| f.span_at(0)).map_or(line, |span| u64::from(module.line_column(span.start).0));
    let what = match (name, now) {
        ("", _) => "a closure is different".to_owned(),
        (name, Some(_)) => format!("`{name}` is different"),
        (name, None) => format!("`{name}` is gone"),
    };
    Unreadable::Changed { place: format!("{}:{line}", module.display_path), what }
}
