//! Tokens and trees as text for a person who looks into the works (`harn dev tokens`, `harn dev ast`).

mod tree;

use crate::Parsed;
use crate::ast::Ast;
use crate::source::Source;

/// The widest line of a dumped tree that is not broken.
const WIDTH: usize = 100;

/// One line per token: place, kind, text.
pub fn dump_tokens(parsed: &Parsed, source: &Source) -> String {
    let mut out = String::new();
    let (mut line, mut column) = (1, 1);
    for token in &parsed.tokens {
        let text = source.slice(token.span);
        out.push_str(&format!("{line}:{column} {} {text:?}\n", token.kind.text()));
        for c in text.chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
    }
    out
}

/// The tree of a file in nested parentheses, one item after the other.
pub fn dump_ast(ast: &Ast) -> String {
    let mut out = String::new();
    for item in &ast.items {
        tree::Dump { names: &ast.names }.stmt(item).write(0, &mut out);
        out.push('\n');
    }
    out
}

/// A node of the dumped tree.
enum Node {
    Atom(String),
    /// The first element is the head.
    List(Vec<Node>),
}

impl Node {
    fn atom(text: impl Into<String>) -> Node {
        Node::Atom(text.into())
    }

    fn list(head: &str, rest: impl IntoIterator<Item = Node>) -> Node {
        Node::List(std::iter::once(Node::atom(head)).chain(rest).collect())
    }

    /// The width on one line, as far as it matters.
    fn width(&self, limit: usize) -> usize {
        match self {
            Node::Atom(text) => text.chars().count(),
            Node::List(nodes) => {
                let mut width = 1 + nodes.len();
                for node in nodes {
                    if width > limit {
                        break;
                    }
                    width += node.width(limit - width);
                }
                width
            }
        }
    }

    fn write(&self, indent: usize, out: &mut String) {
        let room = WIDTH.saturating_sub(indent);
        let nodes = match self {
            Node::Atom(text) => return out.push_str(text),
            Node::List(nodes) => nodes,
        };
        let one_line = self.width(room) <= room;
        out.push('(');
        for (index, node) in nodes.iter().enumerate() {
            let atom = matches!(node, Node::Atom(_));
            if index > 0 && (one_line || atom) {
                out.push(' ');
            } else if index > 0 {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
            }
            node.write(indent + 2, out);
        }
        out.push(')');
    }
}
