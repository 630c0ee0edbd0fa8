// SPDX-License-Identifier: Apache-2.0
//
// What the expressions of one text are about, each once: policies name the same attributes and texts again and again. Words are views into the text, which must
// outlive the pool; payloads outlive it. Its size is bounded by the text's.
#pragma once

#include "cedar/ast.h"

#include <array>
#include <unordered_map>

namespace writ::cedar {

class PayloadPool {
public:
    // How words are to be read: `a` as the name of an attribute is another payload than `"a"` as a text.
    enum class Kind : std::uint8_t { name, quoted_name, text, number, negative_number, pattern };

    // The place for what these words say: nullptr until the caller has put it there.
    std::shared_ptr<Payload const>& of(Kind kind, std::string_view words) { return known_[static_cast<std::size_t>(kind)][words]; }

    // Of a function or type. They share what an attribute of that name says; the key lies in the payload, since a name with colons may stand in pieces.
    std::shared_ptr<Payload const> called(std::string const& name)
    {
        auto& names = known_[static_cast<std::size_t>(Kind::name)];
        if (auto const found = names.find(name); found != names.end() && found->second != nullptr)
            return found->second;
        auto made = payload_of(std::vector { name });
        return names.insert_or_assign(made->names.front(), std::move(made)).first->second;
    }

private:
    std::array<std::unordered_map<std::string_view, std::shared_ptr<Payload const>>, 6> known_;
};

} // namespace writ::cedar
