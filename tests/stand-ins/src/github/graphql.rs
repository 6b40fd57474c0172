//! GraphQL: parsed, checked against the types in tests/data/github-cut.graphql, carried out.

mod connection;
mod execute;
mod resolve;
mod schema;
mod validate;
mod values;

use graphql_parser::parse_query;
use graphql_parser::query::{Definition, OperationDefinition};
use serde_json::{Map, Value, json};

use self::execute::{Execution, Touched};
use self::schema::Schema;
use super::World;
use super::access::{Call, refusal};
use super::rest;
use super::state::State;
use crate::server::Response;

/// What went wrong, in GitHub's form.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    pub message: String,
    /// `NOT_FOUND` and the like, which only errors of execution have.
    pub kind: Option<&'static str>,
    pub path: Vec<String>,
    /// Whether the client's document was wrong, rather than what it asked for not there.
    pub violates: bool,
}

impl Mistake {
    /// The document does not fit the schema.
    pub(crate) fn in_document(message: impl Into<String>) -> Self {
        Mistake { message: message.into(), kind: None, path: Vec::new(), violates: true }
    }

    fn json(&self) -> Value {
        let mut error = json!({ "message": self.message });
        if let Some(kind) = self.kind {
            error["type"] = kind.into();
        }
        if !self.path.is_empty() {
            error["path"] = self.path.clone().into();
        }
        error
    }
}

/// Answers `POST /graphql`.
pub(crate) fn answer(world: &World, state: &mut State, call: &Call<'_>) -> Response {
    if call.request.method != "POST" {
        return refusal(404, "Not Found");
    }
    match state.graphql_refusal {
        None => {}
        Some(404) => return refusal(404, "Not Found"),
        Some(403) => return refusal(403, "Resource not accessible by personal access token"),
        Some(status) => return Response::html(status),
    }
    let Ok(sent) = serde_json::from_slice::<Value>(&call.request.body) else {
        world.violated("POST /graphql: the body is no JSON".to_owned());
        return refusal(400, "Problems parsing JSON");
    };
    let (data, mistakes, touched) = run(state, call, &sent);
    for touch in touched {
        match touch {
            Touched::Pulls(id) => rest::changed_between_pages(state, id),
            Touched::Comments(id, number) => {
                if let Some(repository) = state.by_id_mut(id) {
                    rest::listed(repository, number);
                }
            }
        }
    }
    if world.checked {
        for mistake in mistakes.iter().filter(|mistake| mistake.violates) {
            world.violated(format!("POST /graphql: {}", mistake.message));
        }
    }
    let mut body = Map::new();
    if let Some(data) = data {
        body.insert("data".to_owned(), data);
    }
    if !mistakes.is_empty() {
        let errors: Vec<Value> = mistakes.iter().map(Mistake::json).collect();
        body.insert("errors".to_owned(), errors.into());
    }
    Response::json(200, &Value::Object(body))
}

fn run(
    state: &State,
    call: &Call<'_>,
    sent: &Value,
) -> (Option<Value>, Vec<Mistake>, Vec<Touched>) {
    let failed = |mistakes: Vec<Mistake>| (None, mistakes, Vec::new());
    let Some(text) = sent["query"].as_str() else {
        let message = "A query attribute must be specified and must be a string.";
        return failed(vec![Mistake::in_document(message)]);
    };
    for name in sent.as_object().into_iter().flat_map(Map::keys) {
        if !matches!(name.as_str(), "query" | "variables" | "operationName" | "extensions") {
            return failed(vec![Mistake::in_document(format!("{name} is no part of a request"))]);
        }
    }
    let document = match parse_query::<String>(text) {
        Ok(document) => document.into_static(),
        Err(error) => return failed(vec![Mistake::in_document(format!("Parse error: {error}"))]),
    };
    let wanted = sent["operationName"].as_str();
    let mut operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    });
    let operation = operations.find(|operation| match (wanted, operation) {
        (Some(wanted), OperationDefinition::Query(query)) => query.name.as_deref() == Some(wanted),
        (wanted, _) => wanted.is_none(),
    });
    let (variables, selection) = match operation {
        Some(OperationDefinition::Query(query)) => {
            (query.variable_definitions.as_slice(), &query.selection_set)
        }
        Some(OperationDefinition::SelectionSet(selection)) => (&[][..], selection),
        Some(_) => return failed(vec![Mistake::in_document("Only queries are answered.")]),
        None => return failed(vec![Mistake::in_document("No operation of that name.")]),
    };
    let schema = Schema::github();
    let mistakes = validate::check(schema, &document, variables, selection);
    if !mistakes.is_empty() {
        return failed(mistakes);
    }
    let variables = match values::variables(schema, variables, &sent["variables"]) {
        Ok(variables) => variables,
        Err(mistake) => return failed(vec![mistake]),
    };
    let execution = Execution::new(schema, state, call, &document, variables);
    let data = execution.query(selection);
    let (mistakes, touched) = execution.finish();
    let spoiled = mistakes.iter().any(|mistake| mistake.violates);
    (if spoiled { None } else { Some(data) }, mistakes, touched)
}
