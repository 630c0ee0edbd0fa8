// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/libpq.h"

#include <dlfcn.h>
#include <optional>
#include <string>

namespace writ::issue {

namespace {

std::string last_error()
{
    auto const* const message = ::dlerror();
    return message != nullptr ? message : "it cannot be loaded";
}

template <typename Function> bool find(void* library, char const* name, Function& function)
{
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
}

// All of them are in every libpq since PostgreSQL 10.
std::optional<Libpq> find_functions(void* library)
{
    Libpq found {};
    auto const is_complete = find(library, "PQclear", found.PQclear) && find(library, "PQconnectPoll", found.PQconnectPoll)
        && find(library, "PQconnectStartParams", found.PQconnectStartParams) && find(library, "PQconsumeInput", found.PQconsumeInput)
        && find(library, "PQencryptPasswordConn", found.PQencryptPasswordConn) && find(library, "PQerrorMessage", found.PQerrorMessage)
        && find(library, "PQfinish", found.PQfinish) && find(library, "PQflush", found.PQflush) && find(library, "PQfreemem", found.PQfreemem)
        && find(library, "PQgetResult", found.PQgetResult) && find(library, "PQgetvalue", found.PQgetvalue)
        && find(library, "PQisBusy", found.PQisBusy) && find(library, "PQnfields", found.PQnfields)
        && find(library, "PQntuples", found.PQntuples) && find(library, "PQresultErrorField", found.PQresultErrorField)
        && find(library, "PQresultStatus", found.PQresultStatus) && find(library, "PQsendQuery", found.PQsendQuery)
        && find(library, "PQsetNoticeProcessor", found.PQsetNoticeProcessor) && find(library, "PQsetnonblocking", found.PQsetnonblocking)
        && find(library, "PQsocket", found.PQsocket) && find(library, "PQstatus", found.PQstatus)
        && find(library, "PQtransactionStatus", found.PQtransactionStatus);
    return is_complete ? std::optional(found) : std::nullopt;
}

struct Loaded {
    std::optional<Libpq> functions;
    std::string problem;
};

Loaded load()
{
    auto* const library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL); // stays for good
    auto functions = library != nullptr ? find_functions(library) : std::nullopt;
    return { functions, functions ? "" : "postgres: libpq.so.5: " + last_error() };
}

Loaded const& loaded()
{
    static Loaded const once = load();
    return once;
}

} // namespace

Result<> load_libpq()
{
    if (!loaded().functions)
        return unavailable(loaded().problem);
    return {};
}

Libpq const& libpq()
{
    ASSERT(loaded().functions);
    return *loaded().functions;
}

} // namespace writ::issue
