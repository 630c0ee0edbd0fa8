// SPDX-License-Identifier: Apache-2.0
//
// The suites of bench/cedar_decide through the cedar-policy crate: `cedar-peer DIR [--answers]`. Requests are built beforehand; only `is_authorized` is measured.
// With --answers each decision is printed instead, to be compared with ours.
use cedar_policy::{AuthorizationError, Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request};
use std::{fs, path::Path, str::FromStr, time::Instant};

fn uid(json: &serde_json::Value) -> EntityUid {
    let text = |name: &str| json[name].as_str().expect("a string");
    EntityUid::from_type_name_and_id(EntityTypeName::from_str(text("type")).expect("a type"), EntityId::new(text("id")))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("usage: cedar-peer DIR [--answers]");
    let answers = arguments.next().is_some();
    let mut suites: Vec<_> = fs::read_dir(&directory).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    suites.sort();
    for suite in suites {
        let policies = PolicySet::from_str(&read(&suite.join("policies.cedar"))).expect("policies");
        let entities = Entities::from_json_str(&read(&suite.join("entities.json")), None).expect("entities");
        let json: serde_json::Value = serde_json::from_str(&read(&suite.join("requests.json"))).expect("JSON");
        let requests: Vec<Request> = json
            .as_array()
            .expect("an array")
            .iter()
            .map(|request| {
                let context = Context::from_json_value(request["context"].clone(), None).expect("a context");
                Request::new(uid(&request["principal"]), uid(&request["action"]), uid(&request["resource"]), context, None).expect("a request")
            })
            .collect();
        let name = suite.file_name().expect("a name").to_string_lossy().into_owned();
        let authorizer = Authorizer::new();
        if answers {
            for request in &requests {
                let response = authorizer.is_authorized(request, &policies, &entities);
                let mut reasons: Vec<String> = response.diagnostics().reason().map(|id| id.to_string()).collect();
                reasons.sort();
                let mut errors: Vec<String> = response
                    .diagnostics()
                    .errors()
                    .map(|error| match error {
                        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
                    })
                    .collect();
                errors.sort();
                let word = if response.decision() == Decision::Allow { "allow" } else { "deny" };
                println!("{name} {word} {} errors {}", reasons.join(","), errors.join(","));
            }
            continue;
        }
        let rounds = (200_000 / requests.len() / policies.policies().count().max(10)).max(1);
        let mut samples = Vec::new();
        for _ in 0..rounds {
            for request in &requests {
                let begin = Instant::now();
                let response = authorizer.is_authorized(request, &policies, &entities);
                samples.push(begin.elapsed().as_nanos());
                std::hint::black_box(response.decision());
            }
        }
        samples.sort_unstable();
        println!(
            "{name:<14} policies {:>6}  p50 {:>10} ns  p99 {:>10} ns",
            policies.policies().count(),
            samples[samples.len() / 2],
            samples[samples.len() * 99 / 100]
        );
    }
}
