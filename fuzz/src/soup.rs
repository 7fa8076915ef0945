//! Text that follows the grammar: constructs in random order, without a program to start from.

use crate::random::Random;

/// Text that follows the grammar, names and types at random: most of it parses, little of it makes sense.
pub fn grammar(random: &mut Random) -> String {
    let mut soup = Soup { random, out: String::new(), fuel: 120 };
    for _ in 0..1 + soup.random.below(6) {
        soup.statement(0);
        soup.out.push('\n');
    }
    soup.out
}

const NAMES: &[&str] = &["a", "b", "c", "xs", "d", "f", "g", "P", "E", "n", "s", "_"];

struct Soup<'a> {
    random: &'a mut Random,
    out: String,
    fuel: i32,
}

impl Soup<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn name(&mut self) {
        let name = self.random.pick(NAMES).copied().unwrap_or_default();
        self.push(name);
    }

    fn block(&mut self, depth: usize) {
        self.push("{\n");
        for _ in 0..self.random.below(4) {
            self.statement(depth + 1);
            self.push("\n");
        }
        self.push("}");
    }

    fn params(&mut self) {
        let count = self.random.below(4);
        for i in 0..count {
            if i > 0 {
                self.push(", ");
            }
            if i + 1 == count && self.random.below(100) < 15 {
                self.push("...");
            }
            self.name();
            if self.random.below(100) < 25 {
                self.push(": ");
                self.ty(0);
            }
        }
        if count > 0 && self.random.below(100) < 15 {
            self.push(" = ");
            self.expression(3);
        }
    }

    fn ty(&mut self, depth: usize) {
        match self.random.below(if depth > 3 { 5 } else { 11 }) {
            0 => self.push("int"),
            1 => self.push("string"),
            2 => self.push("nil"),
            3 => self.push("\"lit\""),
            4 => self.name(),
            5 => {
                self.push("list<");
                self.ty(depth + 1);
                self.push(">");
            }
            6 => {
                self.ty(depth + 1);
                self.push(" | ");
                self.ty(depth + 1);
            }
            7 => {
                self.push("{a: ");
                self.ty(depth + 1);
                self.push(", b?: ");
                self.ty(depth + 1);
                self.push("}");
            }
            8 => {
                self.push("fn(");
                self.ty(depth + 1);
                self.push(") -> ");
                self.ty(depth + 1);
            }
            9 => {
                self.push("dict<string, ");
                self.ty(depth + 1);
                self.push(">");
            }
            _ => {
                self.push("E<");
                self.ty(depth + 1);
                self.push(">");
            }
        }
    }

    fn binding(&mut self) {
        match self.random.below(4) {
            0 => self.push("{a, b: c = 1, ...d}"),
            1 => self.push("[a, b = 2, ...xs]"),
            _ => self.name(),
        }
    }

    fn statement(&mut self, depth: usize) {
        self.fuel -= 1;
        if depth > 6 || self.fuel < 0 {
            return self.push("nil");
        }
        match self.random.below(30) {
            0..=3 => {
                let keyword = self.random.pick(&["let ", "var "]).copied().unwrap_or_default();
                self.push(keyword);
                self.binding();
                self.push(" = ");
                self.expression(depth);
            }
            4..=5 => {
                self.name();
                let target = self.random.pick(&["", ".k", "[0]", ".k[a].b"]).copied().unwrap_or_default();
                self.push(target);
                let op = self.random.pick(&[" = ", " += ", " *= ", " %= "]).copied().unwrap_or_default();
                self.push(op);
                self.expression(depth);
            }
            6 => {
                self.push("for ");
                self.binding();
                self.push(" in ");
                self.expression(depth + 1);
                self.push(" ");
                self.block(depth);
            }
            7 => {
                self.push("while ");
                self.expression(depth + 1);
                self.push(" ");
                self.block(depth);
            }
            8..=9 => {
                let keyword = self
                    .random
                    .pick(&["fn ", "pub fn ", "gen fn ", "@test fn "])
                    .copied()
                    .unwrap_or_default();
                self.push(keyword);
                self.name();
                self.push("(");
                self.params();
                self.push(") ");
                if self.random.below(100) < 20 {
                    self.push("-> ");
                    self.ty(0);
                    self.push(" ");
                }
                self.block(depth);
            }
            10 => {
                let keyword = self
                    .random
                    .pick(&["return ", "throw ", "yield ", "emit ", "require "])
                    .copied()
                    .unwrap_or_default();
                self.push(keyword);
                self.expression(depth);
            }
            11 => {
                let word =
                    self.random.pick(&["break", "continue", "return", "yield"]).copied().unwrap_or_default();
                self.push(word);
            }
            12 => {
                let keyword =
                    self.random.pick(&["defer ", "mutex ", "guard a else "]).copied().unwrap_or_default();
                self.push(keyword);
                self.block(depth);
            }
            13 => {
                self.push("struct P { a: ");
                self.ty(0);
                self.push(", b? }");
            }
            14 => self.push("enum E { A, B(x: int), C(a, b) }"),
            15 => {
                self.push("impl P { fn ");
                self.name();
                self.push("(self, a) ");
                self.block(depth);
                self.push(" }");
            }
            16 => {
                self.push("type P = ");
                self.ty(0);
            }
            17 => {
                self.push("select { a from b ");
                self.block(depth);
                self.push(" timeout 1ms ");
                self.block(depth);
                self.push(" }");
            }
            18 => {
                self.push("tool f(");
                self.params();
                self.push(") ");
                self.block(depth);
            }
            19 if depth == 0 => {
                self.push("pipeline ");
                self.name();
                self.push("(a) ");
                self.block(depth);
            }
            20..=22 => {
                self.push("println(");
                self.expression(depth);
                self.push(")");
            }
            _ => self.expression(depth),
        }
    }

    fn list(&mut self, depth: usize) {
        for i in 0..self.random.below(4) {
            if i > 0 {
                self.push(", ");
            }
            if self.random.below(100) < 10 {
                self.push("...");
            }
            self.expression(depth + 1);
        }
    }

    fn pattern(&mut self, depth: usize) {
        match self.random.below(if depth > 2 { 5 } else { 9 }) {
            0 => self.push("_"),
            1 => self.name(),
            2 => self.push("1 | 2 | \"x\""),
            3 => self.push("E.A"),
            4 => self.push("nil"),
            5 => {
                self.push("E.B(");
                self.pattern(depth + 1);
                self.push(")");
            }
            6 => {
                self.push("[");
                self.pattern(depth + 1);
                self.push(", ...xs]");
            }
            7 => {
                self.push("{a: ");
                self.pattern(depth + 1);
                self.push("}");
            }
            _ => {
                self.push("P {a: ");
                self.pattern(depth + 1);
                self.push("}");
            }
        }
    }

    fn expression(&mut self, depth: usize) {
        self.fuel -= 1;
        let leaf = depth > 6 || self.fuel < 0;
        let d = depth + 1;
        match self.random.below(if leaf { 9 } else { 36 }) {
            0..=2 => self.name(),
            3 => {
                let number = self
                    .random
                    .pick(&["0", "1", "2", "9223372036854775807", "0.5", "5ms", "3"])
                    .copied()
                    .unwrap_or_default();
                self.push(number);
            }
            4 => self.push("\"str\""),
            5 => self.push("nil"),
            6 => self.push("true"),
            7 => self.push("[]"),
            8 => self.push("{}"),
            9..=12 => {
                self.expression(d);
                let op = self
                    .random
                    .pick(&[
                        "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">=", "&&", "||", "??", "in",
                        "not in", "|>", "to",
                    ])
                    .copied()
                    .unwrap_or_default();
                self.push(" ");
                self.push(op);
                self.push(" ");
                self.expression(d);
            }
            13 => {
                let op = self.random.pick(&["-", "!", "try* "]).copied().unwrap_or_default();
                self.push(op);
                self.expression(d);
            }
            14 => {
                self.push("(");
                self.expression(d);
                self.push(")");
            }
            15 => {
                self.push("[");
                self.list(d);
                self.push("]");
            }
            16 => {
                self.push("{a: ");
                self.expression(d);
                self.push(", [b]: ");
                self.expression(d);
                self.push(", ...d}");
            }
            17..=18 => {
                self.push("{ ");
                self.params();
                self.push(" -> ");
                self.statement(d);
                self.push(" }");
            }
            19..=20 => {
                self.name();
                self.push("(");
                self.list(d);
                self.push(")");
            }
            21..=22 => {
                self.name();
                let method = self
                    .random
                    .pick(&[
                        ".map", ".filter", ".push", ".keys", "?.len", ".reduce", ".sort_by", ".k", ".iter",
                        ".get", ".merge", ".join",
                    ])
                    .copied()
                    .unwrap_or_default();
                self.push(method);
                self.push("(");
                self.list(d);
                self.push(")");
            }
            23 => {
                self.name();
                let access = self
                    .random
                    .pick(&[".a", "?.a", "[0]", "?[1]", "[1:]", "[:-1]", "?", ".first", ".count"])
                    .copied()
                    .unwrap_or_default();
                self.push(access);
            }
            24 => {
                self.push("if ");
                self.expression(d);
                self.push(" ");
                self.block(depth);
                self.push(" else ");
                self.block(depth);
            }
            25..=26 => {
                self.push("match ");
                self.expression(d);
                self.push(" {\n");
                for _ in 0..1 + self.random.below(3) {
                    self.pattern(0);
                    if self.random.below(100) < 25 {
                        self.push(" if ");
                        self.expression(d);
                    }
                    self.push(" -> ");
                    self.block(depth);
                    self.push("\n");
                }
                self.push("}");
            }
            27..=28 => {
                self.push("try ");
                self.block(depth);
                if self.random.below(100) < 80 {
                    self.push(" catch (a) ");
                    self.block(depth);
                }
                if self.random.below(100) < 40 {
                    self.push(" finally ");
                    self.block(depth);
                }
            }
            29 => {
                self.push("\"x${");
                self.expression(d);
                self.push("}y\"");
            }
            30 => {
                self.push("(");
                self.expression(d);
                self.push(" ? ");
                self.expression(d);
                self.push(" : ");
                self.expression(d);
                self.push(")");
            }
            31 => {
                let keyword =
                    self.random.pick(&["spawn ", "retry 2 ", "deadline 5ms "]).copied().unwrap_or_default();
                self.push(keyword);
                self.block(depth);
            }
            32 => {
                let keyword = self
                    .random
                    .pick(&["parallel 2 { a -> ", "parallel each xs { b -> ", "parallel settle [1] { c -> "])
                    .copied()
                    .unwrap_or_default();
                self.push(keyword);
                self.statement(d);
                self.push(" }");
            }
            33 => {
                self.push("P {a: ");
                self.expression(d);
                self.push("}");
            }
            34 => {
                self.push("E.B(");
                self.list(d);
                self.push(")");
            }
            _ => {
                self.push("fn(");
                self.params();
                self.push(") ");
                self.block(depth);
            }
        }
    }
}
