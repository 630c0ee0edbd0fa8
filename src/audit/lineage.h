// SPDX-License-Identifier: Apache-2.0
//
// From a model version back to the data it was made of, and on to who called it. Which record makes which edge is written in
// docs/formats/audit-record.md.
#pragma once

#include "audit/questions.h"

namespace writ::audit {

// Whether an edge stands on more than its caller's word. What is asserted and what is attested are edges of their own, side by side.
struct EdgeGround {
    bool is_attested = true;
    std::string caller {}; // whose word it is; empty if it is attested
    bool operator==(EdgeGround const&) const = default;
};
// Data, or another model, that a run used.
struct LineageData {
    RecordedEntity resource;
    std::string action;
    std::uint64_t record = 0;
    EdgeGround ground {};
};
// A run that made a model version; outside of runs, what its workload did.
struct LineageRun {
    std::string run, workload, workload_name, pipeline, purpose;
    std::vector<std::string> actions; // `sign`, `promote`…
    std::uint64_t record = 0;         // the latest of them
    std::vector<LineageData> data;
    EdgeGround ground {};
};
struct LineageCaller {
    std::string workload, workload_name, purpose;
    std::uint64_t calls = 0;
    std::uint64_t record = 0; // the latest
    EdgeGround ground {};
};
// What loaded a model version, or was asked for its answers.
struct LineageEndpoint {
    std::string name;
    std::string loaded_by;    // SPIFFE ID; empty: no load is on record
    std::uint64_t record = 0; // of the load, or of a call that names the model
    std::vector<LineageCaller> callers;
    EdgeGround ground {}; // of that record
};
struct LineageModel {
    std::string name, version, digest;
    std::vector<LineageRun> runs;
    std::vector<LineageEndpoint> endpoints;
};
struct ModelTrace {
    std::vector<LineageModel> models; // one for each version
    bool is_cut = false;              // there was more than is told
};

// `model` is a name, for all its versions, or name@version. `attested_alone` leaves out what nobody but a caller says: the model in play in a call, and
// the endpoint that one is loaded for, so that what loaded it stands in that place.
Result<ModelTrace> trace_model(Questions&, std::string const& model, bool attested_alone = false);

// What an allowed use says of a model that goes by this name.
ModelEdge edge_of(Record const&, std::string_view model);

} // namespace writ::audit
