//! Scripted answers of the host for tests (spec 06 section 10, 08 section 4.5): the table behind `host_mock`.

use harn_effect::Data;
use std::collections::BTreeMap;

/// A scripted answer to one operation of one capability.
#[derive(Clone, Debug, PartialEq)]
pub struct HostMock {
    /// The capability, as in `capability.operation`.
    pub capability: String,
    /// The operation.
    pub operation: String,
    /// Fields that the parameters of a call must contain with equal values; empty matches every call.
    pub params: BTreeMap<String, Data>,
    /// The answer, or the string that is thrown.
    pub answer: Result<Data, String>,
}

/// A call that a scripted answer met.
#[derive(Clone, Debug, PartialEq)]
pub struct MockedCall {
    /// The capability that was asked.
    pub capability: String,
    /// The operation that was asked.
    pub operation: String,
    /// The parameters of the call.
    pub params: Data,
    /// Whether a scripted answer was found.
    pub matched: bool,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    mocks: Vec<HostMock>,
    calls: Vec<MockedCall>,
}

/// The scripted host of a run: a stack of scopes, of which only the innermost answers.
#[derive(Clone, Debug, Default)]
pub struct HostMocks {
    current: Scope,
    outer: Vec<Scope>,
}

impl HostMocks {
    /// Adds an answer; of several that match, the last one added wins.
    pub fn push(&mut self, mock: HostMock) {
        self.current.mocks.push(mock);
    }

    /// Looks up the answer to a call and notes the call. `None` when nothing is scripted for it.
    pub fn answer(
        &mut self,
        capability: &str,
        operation: &str,
        params: &Data,
    ) -> Option<Result<Data, String>> {
        let found = self
            .current
            .mocks
            .iter()
            .rev()
            .find(|m| m.capability == capability && m.operation == operation && matches(&m.params, params))
            .map(|m| m.answer.clone());
        self.current.calls.push(MockedCall {
            capability: capability.to_owned(),
            operation: operation.to_owned(),
            params: params.clone(),
            matched: found.is_some(),
        });
        found
    }

    /// Whether anything is scripted for `capability` (and `operation`, when given).
    pub fn has(&self, capability: &str, operation: Option<&str>) -> bool {
        self.current
            .mocks
            .iter()
            .any(|m| m.capability == capability && operation.is_none_or(|op| m.operation == op))
    }

    /// The scripted `(capability, operation)` pairs, in the order they were added.
    pub fn scripted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.current.mocks.iter().map(|m| (m.capability.as_str(), m.operation.as_str()))
    }

    /// The calls noted in the current scope, oldest first.
    pub fn calls(&self) -> &[MockedCall] {
        &self.current.calls
    }

    /// Every scope, outermost first, for a snapshot.
    pub fn save(&self) -> Data {
        let scopes = self.outer.iter().chain(std::iter::once(&self.current));
        Data::List(scopes.map(Scope::save).collect())
    }

    /// What [`HostMocks::save`] gave.
    pub fn load(&mut self, saved: &Data) {
        self.outer = saved.as_list().unwrap_or_default().iter().map(Scope::load).collect();
        self.current = self.outer.pop().unwrap_or_default();
    }

    /// `host_mock_clear`: forgets answers, calls and scopes.
    pub fn clear(&mut self) {
        *self = HostMocks::default();
    }

    /// Opens an empty scope that hides the current one.
    pub fn push_scope(&mut self) {
        self.outer.push(std::mem::take(&mut self.current));
    }

    /// Closes the current scope; false when there is no outer one.
    pub fn pop_scope(&mut self) -> bool {
        match self.outer.pop() {
            Some(scope) => {
                self.current = scope;
                true
            }
            None => false,
        }
    }
}

impl Scope {
    fn save(&self) -> Data {
        let mocks = self.mocks.iter().map(|mock| {
            let (result, error) = match &mock.answer {
                Ok(result) => (result.clone(), Data::Nil),
                Err(error) => (Data::Nil, Data::Str(error.clone())),
            };
            Data::dict([
                ("capability", Data::from(mock.capability.as_str())),
                ("operation", mock.operation.as_str().into()),
                ("params", Data::Dict(mock.params.clone())),
                ("result", result),
                ("error", error),
            ])
        });
        let calls = self.calls.iter().map(|call| {
            Data::dict([
                ("capability", Data::from(call.capability.as_str())),
                ("operation", call.operation.as_str().into()),
                ("params", call.params.clone()),
                ("matched", Data::Bool(call.matched)),
            ])
        });
        Data::dict([("mocks", Data::List(mocks.collect())), ("calls", Data::List(calls.collect()))])
    }

    fn load(saved: &Data) -> Scope {
        let rows = |name: &str| saved.field(name).as_list().unwrap_or_default();
        let text = |row: &Data, name: &str| row.field(name).as_str().unwrap_or_default().to_owned();
        let mocks = rows("mocks").iter().map(|row| HostMock {
            capability: text(row, "capability"),
            operation: text(row, "operation"),
            params: row.field("params").as_dict().cloned().unwrap_or_default(),
            answer: match row.field("error") {
                Data::Str(error) => Err(error.clone()),
                _ => Ok(row.field("result").clone()),
            },
        });
        let calls = rows("calls").iter().map(|row| MockedCall {
            capability: text(row, "capability"),
            operation: text(row, "operation"),
            params: row.field("params").clone(),
            matched: row.field("matched").as_bool().unwrap_or(false),
        });
        Scope { mocks: mocks.collect(), calls: calls.collect() }
    }
}

fn matches(wanted: &BTreeMap<String, Data>, params: &Data) -> bool {
    wanted.iter().all(|(key, value)| params.as_dict().and_then(|p| p.get(key)) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mock(operation: &str, params: &[(&str, Data)], answer: Result<Data, String>) -> HostMock {
        HostMock {
            capability: "ledger".into(),
            operation: operation.into(),
            params: params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            answer,
        }
    }

    #[test]
    fn the_last_matching_answer_wins() {
        let mut mocks = HostMocks::default();
        mocks.push(mock("read", &[], Ok("any".into())));
        mocks.push(mock("read", &[("id", Data::Int(7))], Ok("special".into())));
        let call = |id| Data::dict([("id", Data::Int(id)), ("extra", Data::Bool(true))]);
        assert_eq!(mocks.answer("ledger", "read", &call(1)), Some(Ok("any".into())));
        assert_eq!(mocks.answer("ledger", "read", &call(7)), Some(Ok("special".into())));
        assert_eq!(mocks.answer("ledger", "drop", &call(7)), None);
        assert_eq!(mocks.calls().iter().filter(|c| c.matched).count(), 2);
    }

    #[test]
    fn a_scope_hides_and_restores_the_outer_one() {
        let mut mocks = HostMocks::default();
        mocks.push(mock("read", &[], Ok("outer".into())));
        mocks.push_scope();
        assert!(!mocks.has("ledger", None));
        assert!(mocks.pop_scope());
        assert_eq!(mocks.answer("ledger", "read", &Data::Nil), Some(Ok("outer".into())));
        assert!(!mocks.pop_scope());
    }
}
