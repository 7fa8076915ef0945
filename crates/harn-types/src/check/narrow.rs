//! What conditions say about variables (spec 03 sections 11.1 and 11.2).

use super::Checker;
use super::env::VarId;
use crate::types::{Generic, Kind, ShapeField, Ty};
use harn_syntax::ast::*;
use std::sync::Arc;

/// The names of `type_of` in the order of the messages.
pub(super) const TYPE_NAMES: [&str; 9] =
    ["int", "string", "float", "bool", "nil", "list", "dict", "closure", "bytes"];

/// All of [`TYPE_NAMES`] as bits.
pub(super) const ALL_NAMES: u16 = (1 << TYPE_NAMES.len()) - 1;

/// A tagged shape union: the name of its tag, and each variant with the literal of its tag.
pub(super) type Tagged = (Arc<str>, Vec<(Ty, Ty)>);

/// One thing learnt about a variable.
#[derive(Clone, Copy)]
pub(super) struct Fact {
    var: VarId,
    ty: Ty,
    ruled_out: u16,
    /// The variable's count of assignments when the fact held.
    assigned: u32,
}

/// What is known when a condition holds and when it does not.
#[derive(Clone, Default)]
pub(super) struct Facts {
    pub(super) truthy: Vec<Fact>,
    pub(super) falsy: Vec<Fact>,
}

impl Facts {
    fn swapped(self) -> Facts {
        Facts { truthy: self.falsy, falsy: self.truthy }
    }

    /// What `a op b` says, from what its sides say (`b`'s under `a`'s).
    pub(super) fn combine(self, op: BinaryOp, right: Facts) -> Facts {
        match op {
            BinaryOp::And => Facts { truthy: [self.truthy, right.truthy].concat(), falsy: Vec::new() },
            BinaryOp::Or => Facts { truthy: Vec::new(), falsy: [self.falsy, right.falsy].concat() },
            _ => Facts::default(),
        }
    }
}

impl Checker<'_> {
    pub(super) fn apply(&mut self, facts: &[Fact]) {
        for fact in facts {
            self.env.narrow(fact.var, fact.ty, fact.ruled_out, fact.assigned);
        }
    }

    /// What a condition says about variables, here.
    pub(super) fn facts(&mut self, condition: &Expr) -> Facts {
        // The left spine of `&&` and `||` can be long: from its leftmost operand outwards.
        let mut spine = Vec::new();
        let mut here = condition;
        loop {
            match &here.kind {
                ExprKind::Paren(inner) => here = inner,
                ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                    spine.push((*op, right));
                    here = left;
                }
                _ => break,
            }
        }
        let mut known = self.single(here);
        while let Some((op, right)) = spine.pop() {
            let mark = self.env.mark();
            match op {
                BinaryOp::And => self.apply(&known.truthy),
                _ => self.apply(&known.falsy),
            }
            let more = self.facts(right);
            self.env.restore(mark, true);
            known = known.combine(op, more);
        }
        known
    }

    fn single(&mut self, condition: &Expr) -> Facts {
        match &condition.kind {
            ExprKind::Name(name) => self.bare(*name),
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.facts(operand).swapped(),
            ExprKind::Binary { op: BinaryOp::Eq, left, right } => self.equality(left, right),
            ExprKind::Binary { op: BinaryOp::Ne, left, right } => self.equality(left, right).swapped(),
            ExprKind::MethodCall { object, name, args, .. } => match args.as_slice() {
                [arg] if self.name(*name) == "has" => self.has(object, &arg.value),
                _ => Facts::default(),
            },
            ExprKind::Call { callee, args, .. } => match (&callee.kind, args.as_slice()) {
                (ExprKind::Name(f), [value, schema])
                    if matches!(self.text(*f), "schema_is" | "is_type") && self.env.find(*f).is_none() =>
                {
                    self.schema_test(&value.value, &schema.value)
                }
                _ => Facts::default(),
            },
            _ => Facts::default(),
        }
    }

    fn fact(&self, var: VarId, ty: Ty, ruled_out: u16) -> Fact {
        Fact { var, ty, ruled_out, assigned: self.env.get(var).map_or(0, |v| v.assigned) }
    }

    /// One variable known to be of a type, here.
    pub(super) fn known(&self, var: VarId, ty: Ty) -> Vec<Fact> {
        vec![self.fact(var, ty, 0)]
    }

    fn both(&self, var: VarId, truthy: Ty, falsy: Ty) -> Facts {
        Facts { truthy: vec![self.fact(var, truthy, 0)], falsy: vec![self.fact(var, falsy, 0)] }
    }

    fn variable(&self, e: &Expr) -> Option<(VarId, Ty)> {
        match &e.kind {
            ExprKind::Name(name) => {
                let id = self.env.find(*name)?;
                Some((id, self.env.get(id)?.now()))
            }
            ExprKind::Paren(inner) => self.variable(inner),
            _ => None,
        }
    }

    fn bare(&mut self, name: Symbol) -> Facts {
        let Some(var) = self.env.find(name) else { return Facts::default() };
        let now = self.env.get(var).map_or(Ty::FREE, |v| v.now());
        let ty = self.expand(now);
        let members = self.types.members(ty);
        if members.len() < 2 || !members.contains(&Ty::NIL) {
            return Facts::default();
        }
        let sure = self.types.without(ty, |_, m| m == Ty::NIL);
        let truthy = vec![self.fact(var, sure, 0)];
        // `false`, 0 and empty texts are falsy too: only when none of the members can be so is it nil.
        let always =
            |m: &Ty| matches!(self.types.kind(*m), Kind::Fn(..) | Kind::User(..)) || *m == Ty::CLOSURE;
        let others_truthy = members.iter().filter(|m| **m != Ty::NIL).all(always);
        let falsy = if others_truthy { vec![self.fact(var, Ty::NIL, 0)] } else { Vec::new() };
        Facts { truthy, falsy }
    }

    fn equality(&mut self, left: &Expr, right: &Expr) -> Facts {
        for (side, other) in [(left, right), (right, left)] {
            let facts = self.equality_of(side, other);
            if !facts.truthy.is_empty() || !facts.falsy.is_empty() {
                return facts;
            }
        }
        Facts::default()
    }

    fn equality_of(&mut self, side: &Expr, other: &Expr) -> Facts {
        match (&side.kind, &other.kind) {
            (ExprKind::Name(_), ExprKind::Nil) => self.nil_test(side),
            (ExprKind::Call { callee, args, .. }, ExprKind::Str(name)) => {
                match (&callee.kind, args.as_slice()) {
                    (ExprKind::Name(f), [arg]) if self.text(*f) == "type_of" => {
                        self.type_test(&arg.value, name)
                    }
                    _ => Facts::default(),
                }
            }
            (ExprKind::Property { object, name, .. }, _) => match self.literal_type(other) {
                Some(literal) => self.tag_test(object, *name, &[literal]),
                None => Facts::default(),
            },
            _ => Facts::default(),
        }
    }

    fn nil_test(&mut self, e: &Expr) -> Facts {
        let Some((var, ty)) = self.variable(e) else { return Facts::default() };
        let ty = self.expand(ty);
        if ty == Ty::NIL {
            return self.both(var, Ty::NIL, Ty::NEVER);
        }
        let members = self.types.members(ty);
        if members.len() < 2 || !members.contains(&Ty::NIL) {
            return Facts::default();
        }
        let rest = self.types.without(ty, |_, m| m == Ty::NIL);
        self.both(var, Ty::NIL, rest)
    }

    /// Whether a value of type `ty` has this `type_of` name.
    pub(super) fn has_type_name(&self, ty: Ty, name: &str) -> bool {
        match self.types.kind(ty) {
            Kind::Plain(plain) => plain.name() == name,
            Kind::Str(_) => name == "string",
            Kind::Int(_) => name == "int",
            Kind::Applied(Generic::List, _) => name == "list",
            Kind::Applied(Generic::Dict, _) | Kind::Shape(_) => name == "dict",
            Kind::Fn(..) => name == "closure",
            _ => false,
        }
    }

    fn type_test(&mut self, e: &Expr, name: &str) -> Facts {
        let Some(bit) = TYPE_NAMES.iter().position(|n| *n == name) else { return Facts::default() };
        let Some((var, ty)) = self.variable(e) else { return Facts::default() };
        let ty = self.expand(ty);
        let plain = crate::types::builtin_name(name).unwrap_or(Ty::FREE);
        if ty == Ty::UNKNOWN {
            return Facts {
                truthy: vec![self.fact(var, plain, 0)],
                falsy: vec![self.fact(var, ty, 1 << bit)],
            };
        }
        let members = self.types.members(ty);
        let (hit, miss): (Vec<Ty>, Vec<Ty>) = members.iter().partition(|m| self.has_type_name(**m, name));
        if hit.is_empty() {
            return Facts::default();
        }
        let (hit, miss) = (self.types.union(&hit), self.types.union(&miss));
        self.both(var, hit, miss)
    }

    /// The literal type of a string or int literal.
    pub(super) fn literal_type(&mut self, e: &Expr) -> Option<Ty> {
        match &e.kind {
            ExprKind::Str(text) => Some(self.types.intern(Kind::Str(text.clone()))),
            ExprKind::Int(n) => Some(self.types.intern(Kind::Int(*n))),
            ExprKind::Unary { op: UnaryOp::Neg, operand } => match &operand.kind {
                ExprKind::Int(n) => Some(self.types.intern(Kind::Int(n.wrapping_neg()))),
                _ => None,
            },
            ExprKind::Paren(inner) => self.literal_type(inner),
            _ => None,
        }
    }

    /// The discriminant of a tagged shape union: its field, and each variant with its literal.
    pub(super) fn tagged(&mut self, ty: Ty) -> Option<Tagged> {
        let ty = self.expand(ty);
        let members = match self.types.kind(ty) {
            Kind::Union(members) => members.to_vec(),
            _ => return None,
        };
        let mut shapes = Vec::with_capacity(members.len());
        for member in &members {
            let member = self.expand(*member);
            match &*self.types.shared(member) {
                Kind::Shape(fields) => shapes.push(fields.clone()),
                _ => return None,
            }
        }
        let mut tags = shapes.iter().map(|fields| tag_literals(&self.types, fields)).collect::<Vec<_>>();
        let first = tags.first()?.clone();
        'field: for (name, _) in first {
            let mut literals: Vec<Ty> = Vec::new();
            for tag in &mut tags {
                match tag.iter().find(|(n, _)| *n == name) {
                    Some((_, literal)) if !literals.contains(literal) => literals.push(*literal),
                    _ => continue 'field,
                }
            }
            return Some((name, members.into_iter().zip(literals).collect()));
        }
        None
    }

    /// `object.tag == literal`.
    pub(super) fn tag_test(&mut self, object: &Expr, tag: Ident, literals: &[Ty]) -> Facts {
        let Some((var, ty)) = self.variable(object) else { return Facts::default() };
        let Some((field, variants)) = self.tagged(ty) else { return Facts::default() };
        if *field != *self.name(tag) {
            return Facts::default();
        }
        let (hit, miss): (Vec<_>, Vec<_>) = variants.into_iter().partition(|(_, l)| literals.contains(l));
        if hit.is_empty() {
            return Facts::default();
        }
        let hit: Vec<Ty> = hit.into_iter().map(|(t, _)| t).collect();
        let miss: Vec<Ty> = miss.into_iter().map(|(t, _)| t).collect();
        let (hit, miss) = (self.types.union(&hit), self.types.union(&miss));
        self.both(var, hit, miss)
    }

    fn has(&mut self, object: &Expr, key: &Expr) -> Facts {
        let (Some((var, ty)), ExprKind::Str(key)) = (self.variable(object), &key.kind) else {
            return Facts::default();
        };
        let ty = self.expand(ty);
        let fields = match self.types.kind(ty) {
            Kind::Shape(fields) => fields,
            _ => return Facts::default(),
        };
        if !fields.iter().any(|f| f.optional && f.name == *key) {
            return Facts::default();
        }
        let fields = fields
            .iter()
            .map(|f| ShapeField { optional: f.optional && f.name != *key, ..f.clone() })
            .collect();
        let ty = self.types.intern(Kind::Shape(fields));
        Facts { truthy: vec![self.fact(var, ty, 0)], falsy: Vec::new() }
    }

    fn schema_test(&mut self, value: &Expr, schema: &Expr) -> Facts {
        let Some((var, now)) = self.variable(value) else { return Facts::default() };
        let want = self.schema_type(schema);
        if !want.is_known() || !now.is_known() {
            return Facts::default();
        }
        let ty = self.expand(now);
        let want = self.expand(want);
        if matches!(ty, Ty::UNKNOWN | Ty::ANY) {
            let fact = self.fact(var, want, 0);
            return Facts { truthy: vec![fact], falsy: Vec::new() };
        }
        let mut both_have = Vec::new();
        let mut rest = Vec::new();
        for member in self.types.members(ty) {
            match self.intersect(member, want) {
                Some(common) => both_have.push(common),
                None => rest.push(member),
            }
        }
        if both_have.is_empty() {
            return Facts::default();
        }
        let hit = self.types.union(&both_have);
        let mut facts = Facts { truthy: vec![self.fact(var, hit, 0)], falsy: Vec::new() };
        if !rest.is_empty() {
            let rest = self.types.union(&rest);
            facts.falsy.push(self.fact(var, rest, 0));
        }
        facts
    }

    fn intersect(&mut self, have: Ty, want: Ty) -> Option<Ty> {
        let have = self.expand(have);
        let want = self.expand(want);
        if have == want {
            return Some(have);
        }
        match (&*self.types.shared(have), &*self.types.shared(want)) {
            (_, Kind::Union(members)) => {
                let mut common = Vec::new();
                for m in members.iter() {
                    common.extend(self.intersect(have, *m));
                }
                (!common.is_empty()).then(|| self.types.union(&common))
            }
            (Kind::Str(_), Kind::Plain(_)) => (want == Ty::STRING).then_some(have),
            (Kind::Int(_), Kind::Plain(_)) => (want == Ty::INT).then_some(have),
            (Kind::Plain(_), Kind::Str(_)) => (have == Ty::STRING).then_some(want),
            (Kind::Plain(_), Kind::Int(_)) => (have == Ty::INT).then_some(want),
            (Kind::Plain(_), Kind::Shape(_) | Kind::Applied(Generic::Dict, _)) => {
                (have == Ty::DICT).then_some(want)
            }
            (Kind::Shape(_) | Kind::Applied(Generic::Dict, _), Kind::Plain(_)) => {
                (want == Ty::DICT).then_some(have)
            }
            (Kind::Plain(_), Kind::Applied(Generic::List, _)) => (have == Ty::LIST).then_some(want),
            (Kind::Applied(Generic::List, _), Kind::Plain(_)) => (want == Ty::LIST).then_some(have),
            (Kind::Shape(_), Kind::Shape(_)) => Some(want),
            (Kind::Applied(Generic::Dict, _), Kind::Shape(_)) => Some(want),
            _ => None,
        }
    }
}

/// The required fields of a shape that have literal types.
fn tag_literals(types: &crate::types::Types, fields: &[ShapeField]) -> Vec<(Arc<str>, Ty)> {
    fields
        .iter()
        .filter(|f| !f.optional && matches!(types.kind(f.ty), Kind::Str(_) | Kind::Int(_)))
        .map(|f| (f.name.clone(), f.ty))
        .collect()
}
