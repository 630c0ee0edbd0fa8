// SPDX-License-Identifier: Apache-2.0
//
// KUBERNETES_EXEC_INFO, with a server's address out of a configuration.
#include "cli/kubectl_credential.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    using namespace writ::cli;
    auto const question = parse_kubectl_question(std::string_view(reinterpret_cast<char const*>(data), size));
    if (question.is_ok() && parse_json_object(kubectl_answer(*question, { "", SecretText("t"), from_unix_seconds(0) }).reveal()).is_error())
        std::abort();
    return 0;
}
