// SPDX-License-Identifier: Apache-2.0
#include "tlog/policy.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace writ::tlog {

namespace {

using Words = std::vector<std::string_view>;

// SPEC: C2SP tlog-policy: "white space" is space and tab; no other control character is allowed.
Result<Words> words_of(std::string_view line)
{
    for (auto const character : line)
        if ((static_cast<unsigned char>(character) < 0x20 && character != '\t') || character == 0x7f)
            return invalid_argument("a control character");
    Words words;
    while (true) {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.empty())
            return words;
        auto const end = std::min(line.find_first_of(" \t"), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

// What a name stands for.
struct Named {
    bool is_group = false;
    std::size_t place = 0;
    bool is_member = false; // of a group already
};

class Reader {
public:
    Result<> read_line(std::string_view line)
    {
        auto const words = TRY(words_of(line));
        if (words.empty() || words.front().starts_with('#'))
            return {};
        if (words.front() == "log")
            return read_log(words);
        if (words.front() == "witness")
            return read_witness(words);
        if (words.front() == "group")
            return read_group(words);
        if (words.front() == "quorum")
            return read_quorum(words);
        return invalid_argument("`" + std::string(words.front()) + "` is none of log, witness, group and quorum");
    }

    Result<LogPolicy> finish()
    {
        if (!has_quorum_)
            return invalid_argument("no line `quorum`");
        // Groups that the quorum is not made of decide nothing; without a quorum none does.
        if (deciding_)
            policy_.quorum.groups.push_back(std::move(*deciding_));
        else
            policy_.quorum.groups.clear();
        return std::move(policy_);
    }

private:
    Result<> read_log(Words const& words)
    {
        if (words.size() < 2 || words.size() > 3)
            return invalid_argument("a log has a key, and perhaps a URL");
        if (policy_.logs.size() == policy_logs_max)
            return invalid_argument("more than " + std::to_string(policy_logs_max) + " logs");
        auto key = TRY(NoteVerifier::parse(words[1]));
        for (auto const& other : policy_.logs)
            if (other.key.to_spki() == key.key.to_spki())
                return invalid_argument("the key of `" + other.name + "` again");
        policy_.logs.push_back(std::move(key));
        policy_.log_urls.emplace_back(words.size() == 3 ? words[2] : "");
        return {};
    }

    Result<> read_witness(Words const& words)
    {
        if (words.size() < 3 || words.size() > 4)
            return invalid_argument("a witness has a name and a key, and perhaps a URL");
        auto& witnesses = policy_.quorum.witnesses;
        if (witnesses.size() == witnesses_max)
            return invalid_argument("more than " + std::to_string(witnesses_max) + " witnesses");
        auto key = TRY(WitnessVerifier::parse(words[2]));
        for (auto const& other : witnesses)
            if (other.key.to_spki() == key.key.to_spki())
                return invalid_argument("the key of `" + other.name + "` again");
        TRY(add_name(words[1], { .is_group = false, .place = witnesses.size() }));
        witnesses.push_back(std::move(key));
        policy_.witness_urls.emplace_back(words.size() == 4 ? words[3] : "");
        return {};
    }

    Result<> read_group(Words const& words)
    {
        if (words.size() < 4)
            return invalid_argument("a group has a name, `all`, `any` or a number, and members");
        auto& groups = policy_.quorum.groups;
        if (groups.size() == policy_groups_max)
            return invalid_argument("more than " + std::to_string(policy_groups_max) + " groups");
        WitnessGroup group { .needed = TRY(needed_of(words[2], words.size() - 3)), .witnesses = {}, .groups = {} };
        for (auto const name : std::span(words).subspan(3)) {
            auto& member = *TRY(find(name));
            if (std::exchange(member.is_member, true))
                return invalid_argument("`" + std::string(name) + "` is a member of a group already");
            (member.is_group ? group.groups : group.witnesses).push_back(member.place);
        }
        TRY(add_name(words[1], { .is_group = true, .place = groups.size() }));
        groups.push_back(std::move(group));
        return {};
    }

    Result<> read_quorum(Words const& words)
    {
        if (words.size() != 2)
            return invalid_argument("a quorum is one name");
        if (std::exchange(has_quorum_, true))
            return invalid_argument("a second line `quorum`");
        if (words[1] == "none")
            return {};
        auto const& named = *TRY(find(words[1]));
        deciding_.emplace(WitnessGroup { .needed = 1, .witnesses = {}, .groups = {} });
        (named.is_group ? deciding_->groups : deciding_->witnesses).push_back(named.place);
        return {};
    }

    static Result<std::size_t> needed_of(std::string_view text, std::size_t members)
    {
        if (text == "all")
            return members;
        if (text == "any")
            return std::size_t(1);
        std::size_t number = 0;
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > members)
            return invalid_argument("`" + std::string(text) + "` is none of all, any and a number from 1 to " + std::to_string(members));
        return number;
    }

    Result<> add_name(std::string_view name, Named named)
    {
        if (name == "none" || !names_.emplace(name, named).second)
            return invalid_argument("the name `" + std::string(name) + "` is taken");
        return {};
    }

    Result<Named*> find(std::string_view name)
    {
        auto const found = names_.find(name);
        if (found == names_.end())
            return invalid_argument("no witness or group `" + std::string(name) + "` before this line");
        return &found->second;
    }

    LogPolicy policy_;
    std::map<std::string, Named, std::less<>> names_;
    bool has_quorum_ = false;
    std::optional<WitnessGroup> deciding_; // none: `quorum none`
};

} // namespace

Result<LogPolicy> parse_log_policy(std::string_view text)
{
    if (text.size() > policy_bytes_max)
        return invalid_argument("longer than " + std::to_string(policy_bytes_max) + " bytes");
    Reader reader;
    for (int line = 1; !text.empty(); ++line) {
        auto const end = text.find('\n');
        if (end == std::string_view::npos)
            return invalid_argument("line " + std::to_string(line) + ": without its line's end");
        TRY(reader.read_line(text.substr(0, end)).in("line " + std::to_string(line)));
        text.remove_prefix(end + 1);
    }
    return reader.finish();
}

} // namespace writ::tlog
