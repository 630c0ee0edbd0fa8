// SPDX-License-Identifier: Apache-2.0
//
// What is authenticated with each thing that is sealed. SECURITY: nobody with the database can put one in another's place, or an old version in a new one's; and key and
// value are told apart. (A key of the keyring has its name.)
#pragma once

#include <cstdint>
#include <string>

namespace writ::authority {

inline std::string sealed_secret_name(std::string_view what, std::string const& name, std::uint64_t version)
{
    return "writ secret " + std::string(what) + "\n" + name + "\n" + std::to_string(version);
}

inline std::string sealed_secret_key_name(std::string const& name, std::uint64_t version) { return sealed_secret_name("key", name, version); }

inline std::string sealed_place_name(std::string const& place) { return "writ place\n" + place; }

} // namespace writ::authority
