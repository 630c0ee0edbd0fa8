// SPDX-License-Identifier: Apache-2.0
//
// How Azure's own clients get a run's token from the agent: as a managed identity in App Service (IDENTITY_ENDPOINT), of a virtual machine (IMDS) or in Azure ML
// (MSI_ENDPOINT). They name a resource; the run has it or not.
#pragma once

#include "agent/loopback.h"

#include <map>

namespace writ::agent {

inline constexpr std::string_view azure_session_kind = "azure_entra";

// What a job's clients are told: an address, and the run's handle, which by itself opens nothing.
std::map<std::string, std::string> azure_environment(std::uint16_t loopback_port, SecretText const& handle);

// One of the three shapes.
enum class AzureShape : std::uint8_t {
    app_service, // SPEC: App Service, REST endpoint reference for managed identities: api-version 2019-08-01, header X-IDENTITY-HEADER
    machine_learning, // its forerunner: 2017-09-01, header `secret`
    imds, // SPEC: Azure Instance Metadata Service, managed identity: 2018-02-01, header `Metadata: true`
};
std::optional<AzureShape> azure_shape_of(std::string_view path);
// What the caller shows besides being a process of the run; absent: this shape has nothing to show.
std::optional<std::string_view> azure_handle(AzureShape, net::Request const&);

// `caller` was identified by its process, and by its handle if the shape has one.
net::Task<net::Response> answer_azure(LoopbackDesk& desk, LoopbackCaller caller, AzureShape shape, net::Request request);

// `https://storage.azure.com`, however it is written: with `/` or `/.default` at the end.
std::string azure_resource(std::string_view);

} // namespace writ::agent
