// SPDX-License-Identifier: Apache-2.0
//
// Declared files, from text to typed declarations: YAML, field by field, and what refers to what.
#include "authority/snapshot.h"

#include <cstddef>
#include <cstdint>

using namespace writ;
using namespace writ::authority;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    // The first byte says which kind of file it is.
    if (size == 0)
        return 0;
    std::string const text(reinterpret_cast<char const*>(data) + 1, size - 1);
    std::vector<Problem> problems;
    auto documents = split_documents({ { data[0] % 2 == 0 ? "a.yaml" : "a.cedar", text } }, problems);
    // What is stored comes back as it was.
    auto const stored = parse_document_set(to_text(documents));
    ASSERT(stored.is_ok() && *stored == documents);
    auto const snapshot = compile_snapshot(1, std::move(documents), "acme.ai", problems);
    ASSERT(snapshot != nullptr || !problems.empty());
    return 0;
}
