// SPDX-License-Identifier: Apache-2.0
//
// Values that may not stand in the log are replaced by digests, salted for each log, so that equality can still be asked by whoever has the
// salt. Values, immutable.
#pragma once

#include "audit/record.h"
#include "base/durable_file.h"
#include "base/random.h"
#include "base/secret.h"

#include <set>

namespace writ::audit {

// Names whose values are sensitive.
struct RedactionRules {
    std::set<std::string, std::less<>> context; // members, nested ones with dots: `patient.id`
    std::set<std::string, std::less<>> claims;  // `unix.user`
    [[nodiscard]] bool is_empty() const { return context.empty() && claims.empty(); }
};

// How many bytes longer a record's text may become by them: a digest in the place of a short value, and the member's name among those redacted.
std::size_t growth_bytes(RedactionRules const&);

class Salt {
public:
    // The file beside the log; made if there is none. corruption: it is no salt.
    static Result<Salt> open(Path const& file, RandomSource&);
    static Result<Salt> read(Path const& file);
    // SHA-256 of the salt, hexadecimal: a startup record has it, so that a digest's salt can be told from another.
    [[nodiscard]] std::string digest() const;
    // `hmac-sha256:` and 64 hexadecimal digits.
    [[nodiscard]] std::string digest_of(std::string_view value) const;

private:
    explicit Salt(SecretBytes bytes)
        : bytes_(std::move(bytes))
    {
    }
    SecretBytes bytes_;
};

// Puts digests in the place of what the rules name, and names it in `redacted`. A text counts as its bytes, any other value of the context as
// its canonical JSON.
void redact(Record&, RedactionRules const&, Salt const&);

} // namespace writ::audit
