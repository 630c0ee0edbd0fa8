// SPDX-License-Identifier: Apache-2.0
//
// What Entra's AADSTS codes mean for us, and what an administrator does about those that a federated credential meets.
#pragma once

#include "base/result.h"
#include "net/http_message.h"

namespace writ::issue {

// SPEC: Microsoft Entra authentication and authorization error codes.
Error entra_error(net::Response const&);

} // namespace writ::issue
