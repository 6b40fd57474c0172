//! GitHub's description of its REST API (tests/data/github-cut.json), and whether requests and
//! answers fit it.
//!
//! What the description leaves open is read strictly: a field of a body that no schema knows is
//! refused, and so is a query parameter that the operation does not list.

mod schema;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::server::{Request, decode};

/// The description.
pub struct Description {
    document: Value,
}

/// An operation of the description, and the values of its path parameters.
struct Operation<'a> {
    operation: &'a Value,
    values: Vec<(&'a str, String)>,
}

/// The one description, read once.
pub fn github() -> &'static Description {
    static DESCRIPTION: OnceLock<Description> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/github-cut.json"));
        Description { document: serde_json::from_str(text).expect("tests/data/github-cut.json") }
    })
}

impl Description {
    /// Everything in which a request does not fit. `path` is its path below the API's address.
    pub fn check(&self, request: &Request, path: &str) -> Vec<String> {
        let found = match self.operation(&request.method, path) {
            Ok(found) => found,
            Err(reason) => return vec![reason],
        };
        let mut faults = Vec::new();
        self.check_parameters(&found, request, &mut faults);
        self.check_headers(request, &mut faults);
        self.check_body(found.operation, request, &mut faults);
        faults
    }

    /// Everything in which an answer in JSON does not fit what the description promises.
    pub fn check_answer(&self, method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        let found = match self.operation(method, path) {
            Ok(found) => found,
            Err(reason) => return vec![reason],
        };
        let response = self.resolve(&found.operation["responses"][status.to_string()]);
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            return vec![format!("{method} {path} is not described to answer {status}")];
        }
        let mut faults = Vec::new();
        self.fits(schema, body, "body", &mut faults);
        faults
    }

    /// What a `$ref` stands for.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').unwrap_or(reference);
                self.resolve(self.document.pointer(pointer).unwrap_or(&Value::Null))
            }
            None => value,
        }
    }

    fn operation(&self, method: &str, path: &str) -> Result<Operation<'_>, String> {
        let mut segments: Vec<&str> = path.split('/').skip(1).collect();
        // `/repositories/{id}` is not described, and is the same as `/repos/{owner}/{repo}`.
        if let ["repositories", id, ..] = segments.as_slice() {
            if id.parse::<u64>().is_err() {
                return Err(format!("{id} is no id of a repository"));
            }
            segments.splice(..2, ["repos", "id", "id"]);
        }
        let Some(paths) = self.document["paths"].as_object() else {
            return Err("the description has no paths".to_owned());
        };
        let fitting = paths.iter().filter_map(|(template, item)| {
            let template: Vec<&str> = template.split('/').skip(1).collect();
            let operation = &item[method.to_ascii_lowercase()];
            let many = |name: &str| {
                self.parameters(operation, "path")
                    .any(|each| each["name"] == name && each["x-multi-segment"] == true)
            };
            let values = captures(&template, &segments, &many)?;
            let literal = template.iter().filter(|segment| !segment.starts_with('{')).count();
            Some((literal, Operation { operation, values }))
        });
        let fitting: Vec<(usize, Operation<'_>)> = fitting.collect();
        if fitting.is_empty() {
            return Err("GitHub has no such path".to_owned());
        }
        fitting
            .into_iter()
            .filter(|(_, found)| found.operation.is_object())
            .max_by_key(|(literal, _)| *literal)
            .map(|(_, found)| found)
            .ok_or_else(|| format!("GitHub has no {method} here"))
    }

    fn parameters<'a>(
        &'a self,
        operation: &'a Value,
        place: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        let all = operation["parameters"].as_array().into_iter().flatten();
        all.map(|each| self.resolve(each)).filter(move |each| each["in"] == place)
    }

    fn check_parameters(&self, found: &Operation<'_>, request: &Request, faults: &mut Vec<String>) {
        for parameter in self.parameters(found.operation, "path") {
            let name = parameter["name"].as_str().unwrap_or_default();
            // The id that stands for owner and name has been looked at.
            if matches!(name, "owner" | "repo") {
                continue;
            }
            match found.values.iter().find(|(key, _)| *key == name) {
                Some((_, value)) => self.check_text(parameter, value, faults),
                None => faults.push(format!("path parameter {name} is missing")),
            }
        }
        let mut seen = BTreeSet::new();
        for (name, value) in request.query() {
            if !seen.insert(name.clone()) {
                faults.push(format!("query parameter {name} comes twice"));
            }
            let mut known = self.parameters(found.operation, "query");
            match known.find(|each| each["name"] == name.as_str()) {
                Some(parameter) => self.check_text(parameter, &value, faults),
                None => faults.push(format!("query parameter {name} is not known")),
            }
        }
        for parameter in self.parameters(found.operation, "query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["required"] == true && !seen.contains(name) {
                faults.push(format!("query parameter {name} is missing"));
            }
        }
    }

    /// Checks a value that came as text in a path or query.
    fn check_text(&self, parameter: &Value, text: &str, faults: &mut Vec<String>) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let schema = self.resolve(&parameter["schema"]);
        let value = match schema["type"].as_str() {
            Some("integer") => match text.parse::<u64>() {
                Ok(number) => number.into(),
                Err(_) => return faults.push(format!("{name}={text} is no whole number")),
            },
            Some("boolean") => match text.parse::<bool>() {
                Ok(value) => value.into(),
                Err(_) => return faults.push(format!("{name}={text} is neither true nor false")),
            },
            _ => Value::from(text),
        };
        self.fits(schema, &value, name, faults);
        // The limit of per_page stands in its description only.
        let described = parameter["description"].as_str().unwrap_or_default();
        let limit = described.split("(max ").nth(1).and_then(|rest| rest.split(')').next());
        let limit = limit.and_then(|limit| limit.parse::<u64>().ok());
        if let (Some(limit), Some(number)) = (limit, value.as_u64())
            && number > limit
        {
            faults.push(format!("{name}={number} is more than {limit}"));
        }
        if schema["type"] == "integer" && value == 0 {
            faults.push(format!("{name}=0 is no page, size or number"));
        }
    }

    fn check_headers(&self, request: &Request, faults: &mut Vec<String>) {
        let accept = request.header("accept").unwrap_or_default();
        if !accept.starts_with("application/vnd.github") {
            faults.push(format!("Accept is {accept:?} where application/vnd.github+json belongs"));
        }
        for name in ["X-GitHub-Api-Version", "User-Agent"] {
            if request.header(name).is_none_or(|value| value.trim().is_empty()) {
                faults.push(format!("{name} is missing"));
            }
        }
    }

    fn check_body(&self, operation: &Value, request: &Request, faults: &mut Vec<String>) {
        let described = self.resolve(&operation["requestBody"]);
        if request.body.is_empty() {
            if described["required"] == true {
                faults.push("a body is needed".to_owned());
            }
            return;
        }
        if described.is_null() {
            faults.push("a body was sent where none belongs".to_owned());
            return;
        }
        let media = request.header("content-type").unwrap_or_default();
        if media.split(';').next().unwrap_or_default().trim() != "application/json" {
            faults.push(format!("Content-Type is {media:?} where application/json belongs"));
        }
        match serde_json::from_slice::<Value>(&request.body) {
            Ok(body) => {
                let schema = &described["content"]["application/json"]["schema"];
                self.fits(schema, &body, "body", faults);
            }
            Err(error) => faults.push(format!("the body is no JSON: {error}")),
        }
    }
}

/// The values of a template's parameters in a path; None when it does not fit.
fn captures<'a>(
    template: &[&'a str],
    segments: &[&str],
    many: &dyn Fn(&str) -> bool,
) -> Option<Vec<(&'a str, String)>> {
    let Some((first, template)) = template.split_first() else {
        return segments.is_empty().then(Vec::new);
    };
    let (segment, after) = segments.split_first()?;
    let Some(name) = first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        return if first == segment { captures(template, after, many) } else { None };
    };
    if segment.is_empty() {
        return None;
    }
    let longest = if many(name) { segments.len() } else { 1 };
    (1..=longest).find_map(|taken| {
        let mut values = captures(template, &segments[taken..], many)?;
        values.push((name, decode(&segments[..taken].join("/"))));
        Some(values)
    })
}
