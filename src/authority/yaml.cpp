// SPDX-License-Identifier: Apache-2.0
#include "authority/yaml.h"

#include "base/limits.h"

#include <algorithm>
#include <optional>
#include <yaml-cpp/yaml.h>

namespace writ::authority {

namespace {

// SECURITY: texts go into statements, records and terminals. YAML's double quotes can say any character, NUL and escape sequences too.
bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
}

// yaml-cpp throws; nothing of it leaves this file.
class Converter {
public:
    explicit Converter(std::string const& path)
        : path_(path)
    {
    }

    // Nothing after a problem, which problem() then holds.
    std::optional<YamlNode> convert(YAML::Node const& node, int depth)
    {
        auto const position = position_of(node.Mark());
        if (depth > yaml_depth_max)
            return fail(position, "nested deeper than " + std::to_string(yaml_depth_max) + " levels");
        if (++nodes_ > yaml_nodes_max)
            return fail(position, "more than " + std::to_string(yaml_nodes_max) + " values (aliases count each time)");
        YamlNode converted;
        converted.position = position;
        switch (node.Type()) {
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null: return converted;
        case YAML::NodeType::Scalar:
            converted.kind = YamlNode::Kind::scalar;
            converted.scalar = node.Scalar();
            if (has_control(converted.scalar))
                return fail(position, "a text has no control characters");
            return converted;
        case YAML::NodeType::Sequence: return convert_sequence(node, std::move(converted), depth);
        case YAML::NodeType::Map: return convert_map(node, std::move(converted), depth);
        }
        return converted;
    }

    [[nodiscard]] Problem take_problem() { return std::move(problem_); }

    [[nodiscard]] Position position_of(YAML::Mark mark) const
    {
        return { path_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1 };
    }

private:
    std::optional<YamlNode> fail(Position position, std::string message)
    {
        problem_ = { std::move(position), std::move(message) };
        return std::nullopt;
    }

    std::optional<YamlNode> convert_sequence(YAML::Node const& node, YamlNode converted, int depth)
    {
        converted.kind = YamlNode::Kind::sequence;
        for (auto const& element : node) {
            auto child = convert(element, depth + 1);
            if (!child)
                return std::nullopt;
            converted.elements.push_back(std::move(*child));
        }
        return converted;
    }

    std::optional<YamlNode> convert_map(YAML::Node const& node, YamlNode converted, int depth)
    {
        converted.kind = YamlNode::Kind::map;
        for (auto const& member : node) {
            if (!member.first.IsScalar())
                return fail(position_of(member.first.Mark()), "a name must be plain text");
            auto const& name = member.first.Scalar();
            if (has_control(name))
                return fail(position_of(member.first.Mark()), "a name has no control characters");
            if (converted.members.size() == yaml_members_max)
                return fail(position_of(member.first.Mark()), "more than " + std::to_string(yaml_members_max) + " names");
            if (converted.find(name) != nullptr)
                return fail(position_of(member.first.Mark()), "`" + name.substr(0, 60) + "` is given twice");
            auto child = convert(member.second, depth + 1);
            if (!child)
                return std::nullopt;
            converted.members.push_back({ name, std::move(*child) });
        }
        return converted;
    }

    std::string const& path_;
    std::size_t nodes_ = 0;
    Problem problem_;
};

} // namespace

std::string to_string(Problem const& problem)
{
    return problem.position.path + ":" + std::to_string(problem.position.line) + ":" + std::to_string(problem.position.column) + ": "
        + problem.message;
}

YamlNode const* YamlNode::find(std::string_view name) const
{
    auto const member = std::find_if(members.begin(), members.end(), [&](auto const& candidate) { return candidate.name == name; });
    return member == members.end() ? nullptr : &member->node;
}

std::variant<std::vector<YamlNode>, Problem> parse_yaml(Document const& document)
{
    if (document.text.size() > limits::request_body_bytes_max)
        return Problem { { document.path }, "larger than " + std::to_string(limits::request_body_bytes_max) + " bytes" };
    Converter converter(document.path);
    try {
        std::vector<YamlNode> nodes;
        for (auto const& node : YAML::LoadAll(document.text)) {
            auto converted = converter.convert(node, 0);
            if (!converted)
                return converter.take_problem();
            if (converted->kind != YamlNode::Kind::null)
                nodes.push_back(std::move(*converted));
        }
        return nodes;
    } catch (YAML::Exception const& exception) {
        return Problem { converter.position_of(exception.mark), exception.msg };
    }
}

} // namespace writ::authority
