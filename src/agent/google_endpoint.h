// SPDX-License-Identifier: Apache-2.0
//
// How Google Cloud's own clients get a run's token from the agent: as from the metadata server of a machine there (GCE_METADATA_HOST). It has the paths that clients
// look at: projects, service accounts, tokens, identities. SPEC: Compute Engine, View and query VM metadata.
#pragma once

#include "agent/loopback.h"

#include <map>

namespace writ::agent {

inline constexpr std::string_view google_session_kind = "gcp_sts";

// What a job's clients are told: an address.
std::map<std::string, std::string> google_environment(std::uint16_t loopback_port);

// `/` is what clients try first.
// SPEC: RFC 8693, as Google's Security Token Service has it, for clients whose credentials are an external account: what they show is the run's handle.
inline constexpr std::string_view google_exchange_path = "/google/v1/token";
std::string google_subject_token(net::Request const&); // empty: no such request
// POST. `caller` was identified by its process and its handle.
net::Task<net::Response> exchange_google_token(LoopbackDesk& desk, LoopbackCaller caller);

bool is_google_path(std::string_view path);

// `caller` was identified by its process; these clients show no handle. SECURITY: they all send `Metadata-Flavor: Google`, which what merely fetches URLs does not.
net::Task<net::Response> answer_google(LoopbackDesk& desk, LoopbackCaller caller, net::Request request);

// What the server knows of a project and its accounts, as paths have it. Pure; `session` is the document of a gcp_sts session.
Result<JsonObject> google_metadata(JsonObject const& session);
// The value at a path below /computeMetadata/v1, as asked for with `alt` and `recursive`. not_found: there is none.
net::Response metadata_response(JsonObject const& metadata, std::string_view path, bool is_recursive, std::string_view alt);

} // namespace writ::agent
