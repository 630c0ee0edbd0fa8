// SPDX-License-Identifier: Apache-2.0
//
// The suites of bench/cedar_decide through the cedar-policy crate: `cedar-peer DIR [--answers | --seconds S]`. Requests are built beforehand; only
// `is_authorized` is measured, for so many seconds a suite and at least a hundred times. With --answers each decision is printed instead, to be compared with ours.
use cedar_policy::{AuthorizationError, Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    path::Path,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

// Nanoseconds that this thread, the only one, was on a processor.
fn processor_time() -> u64 {
    let text = read(Path::new("/proc/self/schedstat"));
    text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

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
    let option = arguments.next();
    let answers = option.as_deref() == Some("--answers");
    let seconds = if option.as_deref() == Some("--seconds") {
        arguments.next().expect("seconds").parse().expect("a number")
    } else {
        1.0
    };
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
        for request in requests.iter().take(100) {
            std::hint::black_box(authorizer.is_authorized(request, &policies, &entities).decision());
        }
        // Room for all samples beforehand, so that only what the crate allocates is counted.
        let mut samples = Vec::with_capacity(4_000_000);
        let length = Duration::from_secs_f64(seconds);
        let (allocations, cpu, start) = (ALLOCATIONS.load(Ordering::Relaxed), processor_time(), Instant::now());
        while samples.len() < samples.capacity() && (start.elapsed() < length || samples.len() < 100) {
            let request = &requests[samples.len() % requests.len()];
            let begin = Instant::now();
            let response = authorizer.is_authorized(request, &policies, &entities);
            samples.push(begin.elapsed().as_nanos());
            std::hint::black_box(response.decision());
        }
        let cpu = processor_time() - cpu;
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - allocations;
        samples.sort_unstable();
        let count = samples.len() as u64;
        println!(
            "{name:<14} policies {:>6}  p50 {:>10} ns  p99 {:>10} ns  CPU {:>10} ns  allocations {:>8}",
            policies.policies().count(),
            samples[samples.len() / 2],
            samples[samples.len() * 99 / 100],
            cpu / count,
            allocations / count
        );
    }
}
