// SPDX-License-Identifier: Apache-2.0
//
// From a model version back to the data it was made of, and on to who called it. Which record makes which edge is written in
// docs/formats/audit-record.md.
#pragma once

#include "audit/questions.h"

namespace writ::audit {

// Data, or another model, that a run used.
struct LineageData {
    RecordedEntity resource;
    std::string action;
    std::uint64_t record = 0;
};
// A run that made a model version; outside of runs, what its workload did.
struct LineageRun {
    std::string run, workload, workload_name, pipeline, purpose;
    std::vector<std::string> actions; // `sign`, `promote`…
    std::uint64_t record = 0;         // the latest of them
    std::vector<LineageData> data;
};
struct LineageCaller {
    std::string workload, workload_name, purpose;
    std::uint64_t calls = 0;
    std::uint64_t record = 0; // the latest
};
// What loaded a model version, or was asked for its answers.
struct LineageEndpoint {
    std::string name;
    std::string loaded_by;    // SPIFFE ID; empty: no load is on record
    std::uint64_t record = 0; // of the load, or of a call that names the model
    std::vector<LineageCaller> callers;
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

// `model` is a name, for all its versions, or name@version.
Result<ModelTrace> trace_model(Questions&, std::string const& model);

// What an allowed use says of a model that goes by this name.
ModelEdge edge_of(Record const&, std::string_view model);

} // namespace writ::audit
