//! The language of layouts and its printer: what can be on one line, and where lines break when it cannot.
//!
//! A layout is a tree of text and possible line breaks. A group is printed flat if it fits and holds no break that
//! must be; else its breaks become newlines, and its inner groups decide for themselves.

use std::rc::Rc;

/// Blanks of one level.
const LEVEL: usize = 2;

/// A piece of a layout; cheap to clone.
#[derive(Clone, Debug)]
pub struct Layout(Rc<Node>);

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// A newline is in it whatever the width.
    breaks: bool,
}

#[derive(Debug)]
enum Kind {
    /// May hold newlines when copied verbatim.
    Text(String),
    /// A blank, or a newline when the group is broken.
    Line,
    /// Nothing, or a newline when the group is broken.
    SoftLine,
    /// Always a newline.
    HardLine,
    /// An empty line, then a newline.
    BlankLine,
    /// Only when the group is broken.
    IfBroken(&'static str),
    Indent(Layout),
    Concat(Vec<Layout>),
    Group(Layout),
    /// Never broken.
    Flat(Layout),
    /// Flat if it fits; else `hugged` if what comes before its first newline fits; else `broken`.
    Choice {
        flat: Layout,
        hugged: Layout,
        broken: Layout,
    },
}

impl Layout {
    fn new(kind: Kind, breaks: bool) -> Layout {
        Layout(Rc::new(Node { kind, breaks }))
    }

    /// Text, printed as it is.
    pub fn text(text: impl Into<String>) -> Layout {
        let text = text.into();
        let breaks = text.contains('\n');
        Layout::new(Kind::Text(text), breaks)
    }

    /// Nothing.
    pub fn empty() -> Layout {
        Layout::text("")
    }

    /// A blank or a newline.
    pub fn line() -> Layout {
        Layout::new(Kind::Line, false)
    }

    /// Nothing or a newline.
    pub fn soft_line() -> Layout {
        Layout::new(Kind::SoftLine, false)
    }

    /// A newline.
    pub fn hard_line() -> Layout {
        Layout::new(Kind::HardLine, true)
    }

    /// An empty line and a newline.
    pub fn blank_line() -> Layout {
        Layout::new(Kind::BlankLine, true)
    }

    /// Text that is printed only in a broken group.
    pub fn if_broken(text: &'static str) -> Layout {
        Layout::new(Kind::IfBroken(text), false)
    }

    /// One level deeper after each newline inside.
    pub fn indent(inner: Layout) -> Layout {
        let breaks = inner.0.breaks;
        Layout::new(Kind::Indent(inner), breaks)
    }

    /// One after the other.
    pub fn concat(parts: impl IntoIterator<Item = Layout>) -> Layout {
        let parts: Vec<Layout> = parts.into_iter().collect();
        let breaks = parts.iter().any(|part| part.0.breaks);
        Layout::new(Kind::Concat(parts), breaks)
    }

    /// Flat if it fits.
    pub fn group(inner: Layout) -> Layout {
        let breaks = inner.0.breaks;
        Layout::new(Kind::Group(inner), breaks)
    }

    /// On one line.
    pub fn flat(inner: Layout) -> Layout {
        let breaks = inner.0.breaks;
        Layout::new(Kind::Flat(inner), breaks)
    }

    /// The inside of a group, for one that is known to break; any other layout as it is.
    pub fn opened(&self) -> Layout {
        match &self.0.kind {
            Kind::Group(inner) => inner.clone(),
            _ => self.clone(),
        }
    }

    /// The first character that is printed; none when nothing is.
    pub fn first_char(&self) -> Option<char> {
        match &self.0.kind {
            Kind::Text(text) => text.chars().next(),
            Kind::Indent(inner) | Kind::Group(inner) | Kind::Flat(inner) => inner.first_char(),
            Kind::Concat(parts) => parts.iter().find_map(Layout::first_char),
            Kind::Choice { flat, .. } => flat.first_char(),
            Kind::Line | Kind::SoftLine | Kind::HardLine | Kind::BlankLine | Kind::IfBroken(_) => None,
        }
    }

    /// Flat if it fits, else hugged if the first line of that fits, else broken.
    pub fn choice(flat: Layout, hugged: Layout, broken: Layout) -> Layout {
        let breaks = flat.0.breaks;
        Layout::new(Kind::Choice { flat, hugged, broken }, breaks)
    }

    /// Whether it takes several lines whatever the width.
    pub fn breaks(&self) -> bool {
        self.0.breaks
    }

    /// Prints within `width` columns where that can be.
    pub fn print(&self, width: usize) -> String {
        let mut printer = Printer { width, out: String::new(), column: 0 };
        printer.run(self);
        printer.out
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

struct Printer {
    width: usize,
    out: String,
    column: usize,
}

type Item<'a> = (usize, Mode, &'a Layout);

impl Printer {
    fn run(&mut self, layout: &Layout) {
        let mut stack: Vec<Item<'_>> = vec![(0, Mode::Broken, layout)];
        while let Some((indent, mode, layout)) = stack.pop() {
            match &layout.0.kind {
                Kind::Text(text) => self.text(text),
                Kind::Line if mode == Mode::Flat => self.text(" "),
                Kind::SoftLine if mode == Mode::Flat => {}
                Kind::Line | Kind::SoftLine | Kind::HardLine => self.newline(indent),
                Kind::BlankLine => {
                    self.newline(0);
                    self.newline(indent);
                }
                Kind::IfBroken(text) => {
                    if mode == Mode::Broken {
                        self.text(text);
                    }
                }
                Kind::Indent(inner) => stack.push((indent + LEVEL, mode, inner)),
                Kind::Concat(parts) => stack.extend(parts.iter().rev().map(|part| (indent, mode, part))),
                Kind::Group(inner) if mode == Mode::Flat => stack.push((indent, Mode::Flat, inner)),
                Kind::Group(inner) => {
                    let flat = !inner.breaks() && self.fits((indent, Mode::Flat, inner), &stack);
                    stack.push((indent, if flat { Mode::Flat } else { Mode::Broken }, inner));
                }
                Kind::Flat(inner) => stack.push((indent, Mode::Flat, inner)),
                Kind::Choice { flat, .. } if mode == Mode::Flat => stack.push((indent, Mode::Flat, flat)),
                Kind::Choice { flat, hugged, broken } => {
                    let item = if !flat.breaks() && self.fits((indent, Mode::Flat, flat), &stack) {
                        (indent, Mode::Flat, flat)
                    } else if self.fits((indent, Mode::Broken, hugged), &stack) {
                        (indent, Mode::Broken, hugged)
                    } else {
                        (indent, Mode::Broken, broken)
                    };
                    stack.push(item);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text.get(at + 1..).map_or(0, |last| last.chars().count()),
            None => self.column += text.chars().count(),
        }
    }

    fn newline(&mut self, indent: usize) {
        let kept = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(kept);
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// Whether `first`, and what follows up to the next newline, fits on the rest of the line.
    fn fits(&self, first: Item<'_>, rest: &[Item<'_>]) -> bool {
        let mut room = match self.width.checked_sub(self.column) {
            Some(room) => room,
            None => return false,
        };
        let mut after = rest.iter().rev();
        let mut stack = vec![first];
        loop {
            let (indent, mode, layout) = match stack.pop() {
                Some(item) => item,
                None => match after.next() {
                    Some(item) => *item,
                    None => return true,
                },
            };
            let width = match &layout.0.kind {
                Kind::Text(text) => match text.split_once('\n') {
                    Some((line, _)) => return line.chars().count() <= room,
                    None => text.chars().count(),
                },
                Kind::Line if mode == Mode::Flat => 1,
                Kind::SoftLine if mode == Mode::Flat => 0,
                Kind::Line | Kind::SoftLine | Kind::HardLine | Kind::BlankLine => return true,
                Kind::IfBroken(text) if mode == Mode::Broken => text.len(),
                Kind::IfBroken(_) => 0,
                Kind::Indent(inner) => {
                    stack.push((indent, mode, inner));
                    0
                }
                Kind::Concat(parts) => {
                    stack.extend(parts.iter().rev().map(|part| (indent, mode, part)));
                    0
                }
                // What follows the layout at hand may still break at its first chance.
                Kind::Group(inner) => {
                    stack.push((indent, mode, inner));
                    0
                }
                Kind::Flat(inner) => {
                    stack.push((indent, Mode::Flat, inner));
                    0
                }
                Kind::Choice { flat, broken, .. } => {
                    stack.push((indent, mode, if mode == Mode::Flat { flat } else { broken }));
                    0
                }
            };
            match room.checked_sub(width) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
}
