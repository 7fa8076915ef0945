//! From a VM to bytes.

use std::collections::{HashMap, VecDeque};

use harn_bytecode::{FunctionKind, fingerprint};

use super::bytes::Out;
use super::{BELOW, FORMAT, Image, MAGIC, Unwritable, frames};
use crate::error::{ErrorKind, VmError};
use crate::interpreter::Vm;
use crate::interpreter::fiber::{Delivery, Fiber, Waiting};
use crate::interpreter::unwind::with_raw_error;
use crate::value::cell::GeneratorState;
use crate::value::code::{Code, code_of};
use crate::value::strand::Strand;
use crate::value::{Value, View, shape, tag};

pub(super) type Written<T> = Result<T, Unwritable>;

fn refuse<T>(what: impl Into<String>) -> Written<T> {
    Err(Unwritable(what.into()))
}

/// Kinds of object records beside the tags of values.
pub(super) const DECLARED: u8 = 0xff;

/// How a frame says whose code it runs.
pub(super) const HALT: u8 = 0;
pub(super) const DELIVER: u8 = 1;
pub(super) const FUNCTION: u8 = 2;

/// Writes objects once each and hands out their numbers.
pub(super) struct Writer<'v> {
    vm: &'v Vm,
    root: &'v str,
    objects: Out,
    count: usize,
    numbers: HashMap<usize, usize>,
    /// What has a number stays alive, so that no other object gets its address.
    held: Vec<Value>,
    /// Declared, and not yet filled.
    unfilled: VecDeque<Value>,
    codes: Vec<CodeUse>,
    code_numbers: HashMap<*const Code, usize>,
}

struct CodeUse {
    code: *const Code,
    on_frame: bool,
}

pub(super) fn save(vm: &Vm, image: &Image<'_>) -> Written<Vec<u8>> {
    let mut writer = Writer {
        vm,
        root: image.root,
        objects: Out::default(),
        count: 0,
        numbers: HashMap::new(),
        held: Vec::new(),
        unfilled: VecDeque::new(),
        codes: Vec::new(),
        code_numbers: HashMap::new(),
    };
    let mut body = Out::default();
    writer.globals(&mut body)?;
    body.count(image.values.len());
    for value in image.values {
        writer.value(&mut body, value)?;
    }
    body.count(image.fibers.len());
    for fiber in image.fibers {
        writer.fiber(&mut body, fiber)?;
    }
    let mut fills = Out::default();
    while let Some(object) = writer.unfilled.pop_front() {
        writer.fill(&mut fills, &object)?;
    }
    body.data(&image.state);

    let mut out = Out(MAGIC.to_vec());
    out.byte(FORMAT);
    writer.code_table(&mut out);
    out.count(writer.count);
    out.0.append(&mut writer.objects.0);
    out.0.append(&mut fills.0);
    out.0.append(&mut body.0);
    Ok(out.0)
}

/// The address of what a counted value refers to; handles are the same object through any value.
fn address(value: &Value) -> usize {
    match value.view() {
        View::Handle(handle) => std::rc::Rc::as_ptr(handle).cast::<()>() as usize,
        _ => value.payload as usize,
    }
}

/// Whether an object may take part in a circle: it is declared first and filled at the end.
fn is_box(value: &Value) -> bool {
    matches!(value.tag(), tag::CELL | tag::HANDLE | tag::GENERATOR)
}

impl Writer<'_> {
    fn code_table(&self, out: &mut Out) {
        out.count(self.codes.len());
        for used in &self.codes {
            // SAFETY: codes were taken from frames and closures that are still held.
            let code = unsafe { &*used.code };
            let (module, function) = (&code.unit().module, code.function());
            let span = function.span_at(0).unwrap_or_default();
            self.path(out, &module.path);
            out.number(u64::from(code.number));
            out.text(&function.name);
            out.number(u64::from(module.line_column(span.start).0));
            out.0.extend_from_slice(&fingerprint(module, code.number as usize).to_le_bytes());
            out.byte(u8::from(used.on_frame));
        }
    }

    fn code(&mut self, code: *const Code, on_frame: bool) -> usize {
        let next = self.codes.len();
        let number = *self.code_numbers.entry(code).or_insert(next);
        match self.codes.get_mut(number) {
            Some(used) => used.on_frame |= on_frame,
            None => self.codes.push(CodeUse { code, on_frame }),
        }
        number
    }

    /// Top-level variables, and which modules have run their initialisation.
    fn globals(&mut self, out: &mut Out) -> Written<()> {
        let mut paths: Vec<&String> = self.vm.units.keys().collect();
        paths.sort();
        out.count(paths.len());
        for path in paths {
            let Some(unit) = self.vm.units.get(path) else { continue };
            self.path(out, path);
            out.byte(u8::from(self.vm.initialised.contains_key(path)));
            out.count(unit.module.globals.len());
            for (slot, global) in unit.module.globals.iter().enumerate() {
                out.text(&global.name);
                let value = unit.link.globals.get(slot);
                self.value(out, &value.unwrap_or(Value::ABSENT))?;
            }
        }
        Ok(())
    }

    /// Writes a value; objects that it reaches are written before.
    pub(super) fn value(&mut self, out: &mut Out, value: &Value) -> Written<()> {
        if value.is_counted() {
            self.object(value.clone())?;
            out.byte(0x80);
            return self.reference(out, value);
        }
        out.byte(value.tag());
        match value.tag() {
            tag::NIL | tag::ABSENT => {}
            tag::BOOL => out.byte(value.payload as u8),
            tag::INT | tag::DURATION => out.signed(value.payload as i64),
            tag::FLOAT => out.0.extend_from_slice(&value.payload.to_le_bytes()),
            tag::STR => out.text(value.as_str().unwrap_or_default()),
            tag::RAW => out.number(value.payload),
            tag::BUILTIN => match value.view() {
                View::Builtin(id) => out.text(id.name()),
                _ => return refuse("a builtin without a name"),
            },
            other => return refuse(format!("a value of kind {other}")),
        }
        Ok(())
    }

    fn reference(&self, out: &mut Out, value: &Value) -> Written<()> {
        match self.numbers.get(&address(value)) {
            Some(number) => {
                out.count(*number);
                Ok(())
            }
            None => refuse("a value that contains itself"),
        }
    }

    /// Gives an object a number after its parts have theirs.
    fn object(&mut self, value: Value) -> Written<()> {
        enum Step {
            Visit(Value),
            Write(Value),
        }
        let mut work = vec![Step::Visit(value)];
        while let Some(step) = work.pop() {
            match step {
                Step::Visit(value) => {
                    if !value.is_counted() || self.numbers.contains_key(&address(&value)) {
                        continue;
                    }
                    if is_box(&value) {
                        self.declare(value)?;
                        continue;
                    }
                    let parts = parts(&value);
                    work.push(Step::Write(value));
                    work.extend(parts.into_iter().map(Step::Visit));
                }
                Step::Write(value) => {
                    if !self.numbers.contains_key(&address(&value)) {
                        self.write_object(value)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, value: Value) {
        self.numbers.insert(address(&value), self.count);
        self.count += 1;
        self.held.push(value);
    }

    fn declare(&mut self, value: Value) -> Written<()> {
        let out = &mut self.objects;
        out.byte(DECLARED);
        out.byte(value.tag());
        match value.tag() {
            tag::GENERATOR => out.byte(value.generator_cell().flavour as u8),
            tag::HANDLE => {
                let View::Handle(handle) = value.view() else { return Ok(()) };
                let Some(saved) = handle.save() else {
                    return refuse(format!("{} is open", handle.display()));
                };
                out.text(saved.kind);
                out.data(&saved.data);
            }
            _ => {}
        }
        self.unfilled.push_back(value.clone());
        self.number(value);
        Ok(())
    }

    /// Writes an object whose parts have been written.
    fn write_object(&mut self, value: Value) -> Written<()> {
        let mut out = Out::default();
        out.byte(value.tag());
        match value.tag() {
            tag::HEAP_STR => out.text(value.as_str().unwrap_or_default()),
            tag::BYTES => match value.view() {
                View::Bytes(bytes) => out.blob(bytes),
                _ => return refuse("bytes"),
            },
            tag::RANGE => {
                let range = value.range_cell();
                out.signed(range.start);
                out.signed(range.end);
                out.byte(u8::from(range.exclusive));
            }
            tag::LIST => {
                let items = &value.list_cell().items;
                out.count(items.len());
                items.iter().try_for_each(|item| self.value(&mut out, item))?;
            }
            tag::SET => {
                let table = &value.set_cell().table;
                out.count(table.len());
                table.iter().try_for_each(|(item, _)| self.value(&mut out, item))?;
            }
            tag::DICT => {
                let table = &value.dict_cell().table;
                out.count(table.len());
                for (key, item) in table.iter() {
                    self.value(&mut out, key)?;
                    self.value(&mut out, item)?;
                }
            }
            tag::RECORD | tag::STRUCT => {
                let shape = value.shape();
                if let Some(declared) = shape.struct_type {
                    self.struct_type(&mut out, declared);
                }
                out.count(shape.keys.len());
                for (key, item) in shape.keys.iter().zip(value.slots_cell().values()) {
                    out.text(key);
                    self.value(&mut out, item)?;
                }
            }
            tag::ENUM => {
                let View::Enum(found) = value.view() else { return refuse("an enum value") };
                out.text(found.enum_name());
                out.text(found.variant());
                self.slots(&mut out, &value)?;
            }
            tag::PAIR => self.slots(&mut out, &value)?,
            tag::CLOSURE => {
                let code = code_of(&value);
                // SAFETY: the closure holds its unit.
                let named = unsafe {
                    let values = (*code).link().function_values.borrow();
                    values.get((*code).number as usize).is_some_and(|v| v.payload == value.payload)
                };
                out.count(self.code(code, false));
                out.byte(u8::from(named));
                self.slots(&mut out, &value)?;
            }
            tag::ITER => {
                let cell = value.iter_cell();
                let source = cell.source.borrow();
                let position = frames::position_to_write(&source, cell.position.get());
                self.value(&mut out, &source)?;
                out.number(position);
            }
            tag::ERROR => match with_raw_error(&value, Clone::clone) {
                None => out.byte(0),
                Some(error) => {
                    out.byte(1);
                    self.error(&mut out, &error)?;
                }
            },
            other => return refuse(format!("a value of kind {other}")),
        }
        self.objects.0.append(&mut out.0);
        self.number(value);
        Ok(())
    }

    /// The key of a module.
    fn path(&self, out: &mut Out, path: &str) {
        match path.strip_prefix(self.root).filter(|_| !self.root.is_empty()) {
            Some(rest) => out.text(&format!("{BELOW}{rest}")),
            None => out.text(path),
        }
    }

    fn struct_type(&self, out: &mut Out, declared: &shape::StructType) {
        self.path(out, &declared.module);
        out.text(&declared.name);
        out.count(declared.fields.len());
        declared.fields.iter().for_each(|field| out.text(field));
    }

    fn slots(&mut self, out: &mut Out, value: &Value) -> Written<()> {
        let values = value.slots_cell().values();
        out.count(values.len());
        values.iter().try_for_each(|item| self.value(out, item))
    }

    fn error(&mut self, out: &mut Out, error: &VmError) -> Written<()> {
        let (kind, text) = match &error.kind {
            ErrorKind::Thrown(value) => {
                out.byte(0);
                self.value(out, value)?;
                frames::write_trace(out, error);
                return Ok(());
            }
            ErrorKind::Type(text) => (1, text.as_str()),
            ErrorKind::Runtime(text) => (2, text.as_str()),
            ErrorKind::Division => (3, ""),
            ErrorKind::UndefinedVariable(text) => (4, text.as_str()),
            ErrorKind::UndefinedBuiltin(text) => (5, text.as_str()),
            ErrorKind::Immutable(text) => (6, text.as_str()),
            ErrorKind::StackOverflow => (7, ""),
            ErrorKind::Categorised { category, text } => {
                out.byte(8);
                out.text(category);
                out.text(text);
                frames::write_trace(out, error);
                return Ok(());
            }
            ErrorKind::Deadline { level } => {
                out.byte(9);
                out.count(*level);
                frames::write_trace(out, error);
                return Ok(());
            }
            ErrorKind::Cancelled => (10, ""),
        };
        out.byte(kind);
        out.text(text);
        frames::write_trace(out, error);
        Ok(())
    }

    /// What a declared object holds.
    fn fill(&mut self, out: &mut Out, object: &Value) -> Written<()> {
        match object.tag() {
            tag::CELL => {
                let content = object.cell_cell().value.borrow().clone();
                self.value(out, &content)
            }
            tag::HANDLE => {
                let View::Handle(handle) = object.view() else { return Ok(()) };
                let values = handle.save().map(|saved| saved.values).unwrap_or_default();
                out.count(values.len());
                values.iter().try_for_each(|value| self.value(out, value))?;
                self.held.extend(values);
                Ok(())
            }
            _ => match &*object.generator_cell().state.borrow() {
                GeneratorState::Done => {
                    out.byte(0);
                    Ok(())
                }
                GeneratorState::Running => {
                    out.byte(1);
                    Ok(())
                }
                GeneratorState::Suspended(strand) => {
                    out.byte(2);
                    self.strand(out, strand, None)
                }
            },
        }
    }

    fn fiber(&mut self, out: &mut Out, fiber: &Fiber) -> Written<()> {
        if fiber.vm != self.vm.id || fiber.answer.is_some() || fiber.interrupt.is_some() {
            return refuse("a task that is not waiting");
        }
        let mut delivery = match &fiber.waiting {
            None => return refuse("a task that is not waiting"),
            Some(Waiting::Effect { then: Some(_), builtin, .. }) => {
                let name = builtin.map_or("a builtin", |id| id.name());
                return refuse(format!("`{name}` is under way"));
            }
            Some(Waiting::Effect { dst, then: None, builtin }) => {
                out.byte(0);
                out.count(*dst);
                out.text(builtin.map_or("", |id| id.name()));
                None
            }
            Some(Waiting::Control { delivery }) => {
                out.byte(1);
                write_delivery(out, *delivery);
                Some(*delivery)
            }
        };
        self.strand(out, &fiber.strand, delivery)?;
        out.count(fiber.pulls.len());
        // The innermost generator delivers to the strand that pulled it, and so on outwards.
        for pull in fiber.pulls.iter().rev() {
            delivery = Some(pull.delivery);
            write_delivery(out, pull.delivery);
            self.value(out, &pull.generator)?;
            self.strand(out, &pull.strand, delivery)?;
        }
        out.count(fiber.deadlines.len());
        fiber.deadlines.iter().for_each(|end| out.signed(*end));
        out.count(fiber.queue.len());
        fiber.queue.iter().try_for_each(|value| self.value(out, value))?;
        out.count(fiber.last_args.len());
        fiber.last_args.iter().try_for_each(|value| self.value(out, value))
    }

    fn strand(&mut self, out: &mut Out, strand: &Strand, delivery: Option<Delivery>) -> Written<()> {
        out.count(strand.top + 1);
        let mut bases = Vec::new();
        let mut base = 0;
        for frame in strand.frames.get(..=strand.top).unwrap_or_default() {
            base += frame.delta as usize;
            bases.push(base);
            // SAFETY: frames of a strand of this VM point to code of its units or of its own.
            let code = unsafe { &*frame.code };
            if code.unit.is_null() {
                let deliver = std::ptr::eq(code, &self.vm.stubs.deliver);
                out.byte(if deliver { DELIVER } else { HALT });
            } else {
                out.byte(FUNCTION);
                out.count(self.code(frame.code, true));
                // SAFETY: the pc of a frame lies inside the code of its function.
                out.count(usize::try_from(unsafe { frame.pc.offset_from(code.start) }).unwrap_or(0));
            }
            out.number(u64::from(frame.delta));
        }
        if base != strand.base {
            return refuse("a frame out of place");
        }
        frames::check_owned(strand, &bases, delivery).map_err(Unwritable)?;
        let registers = &strand.registers;
        let used = registers.iter().rposition(|value| !value.is_nil()).map_or(0, |last| last + 1);
        out.count(registers.len());
        out.count(used);
        for (at, value) in registers.iter().take(used).enumerate() {
            if value.tag() == tag::BORROWED {
                // Only a frame's own closure is borrowed; anywhere else it is what a frame that is gone left behind.
                if bases.contains(&at) {
                    let closure = super::super::call::owned_closure(value);
                    self.object(closure.clone())?;
                    out.byte(tag::BORROWED);
                    self.reference(out, &closure)?;
                } else {
                    out.byte(tag::NIL);
                }
                continue;
            }
            if value.tag() == tag::RAW
                && let Some(source) = at.checked_sub(1).and_then(|before| registers.get(before))
            {
                let position = frames::position_to_write(source, value.payload);
                self.value(out, &Value::raw_number(position))?;
                continue;
            }
            self.value(out, value)?;
        }
        Ok(())
    }
}

fn write_delivery(out: &mut Out, delivery: Delivery) {
    match delivery {
        Delivery::Register(dst) => {
            out.byte(0);
            out.count(dst);
        }
        Delivery::Loop => out.byte(1),
        Delivery::Next(dst) => {
            out.byte(2);
            out.count(dst);
        }
        Delivery::Select(dst) => {
            out.byte(3);
            out.count(dst);
        }
    }
}

/// The values inside an immutable object.
fn parts(value: &Value) -> Vec<Value> {
    match value.tag() {
        tag::LIST => value.list_cell().items.clone(),
        tag::SET => value.set_cell().table.iter().map(|(item, _)| item.clone()).collect(),
        tag::DICT => {
            value.dict_cell().table.iter().flat_map(|(key, item)| [key.clone(), item.clone()]).collect()
        }
        tag::RECORD | tag::STRUCT | tag::ENUM | tag::PAIR | tag::CLOSURE => {
            value.slots_cell().values().to_vec()
        }
        tag::ITER => vec![value.iter_cell().source.borrow().clone()],
        tag::ERROR => with_raw_error(value, |error| match &error.kind {
            ErrorKind::Thrown(thrown) => vec![thrown.clone()],
            _ => Vec::new(),
        })
        .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// The number of a generator's flavour is that of its kind.
pub(super) fn flavour(number: u8) -> Option<FunctionKind> {
    FunctionKind::from_number(number)
}
