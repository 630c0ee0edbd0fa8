// SPDX-License-Identifier: Apache-2.0
//
// The little DER (ITU-T X.690) that keys and certificates need: a strict reader of nested elements and a writer that appends. Definite,
// minimal lengths below 2^32 and one-byte tags only. Views do not own. Private to this folder.
#pragma once

#include "base/bytes.h"

namespace writ::crypto {

enum class DerTag : std::uint8_t {
    boolean = 0x01,
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    null = 0x05,
    object_identifier = 0x06,
    utf8_string = 0x0c,
    utc_time = 0x17,
    generalized_time = 0x18,
    sequence = 0x30,
    set = 0x31,
};

class DerReader {
public:
    explicit DerReader(BytesView bytes)
        : rest_(bytes)
    {
    }

    // The contents of the next element, which must have this tag.
    Result<BytesView> next(DerTag);
    // The contents of the next element, an INTEGER that is not negative, without its sign byte.
    Result<BytesView> next_unsigned();
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
    // invalid_argument if something follows.
    Result<> expect_end() const;

private:
    BytesView rest_;
};

void append_element(Bytes& out, std::uint8_t tag, BytesView contents);
inline void append_element(Bytes& out, DerTag tag, BytesView contents) { append_element(out, static_cast<std::uint8_t>(tag), contents); }
// An INTEGER of these big-endian bytes, which are not negative.
void append_unsigned(Bytes& out, BytesView big_endian);
inline void append_bytes(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

} // namespace writ::crypto
