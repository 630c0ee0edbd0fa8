// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace writ {

std::string_view to_string(ErrorCode code)
{
    switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::unauthenticated: return "unauthenticated";
    case ErrorCode::permission_denied: return "permission_denied";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::resource_exhausted: return "resource_exhausted";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::corruption: return "corruption";
    case ErrorCode::internal: return "internal";
    }
    return "internal";
}

Error Error::in(std::string_view context) &&
{
    message.insert(0, ": ");
    message.insert(0, context);
    return std::move(*this);
}

static ErrorCode code_of_errno(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return ErrorCode::resource_exhausted;
    case ENOENT: return ErrorCode::not_found;
    case EEXIST: return ErrorCode::conflict;
    case EACCES:
    case EPERM: return ErrorCode::permission_denied;
    default: return ErrorCode::unavailable;
    }
}

Error errno_error(std::string_view what, int error_number)
{
    return Error(code_of_errno(error_number), std::generic_category().message(error_number)).in(what);
}

} // namespace writ
