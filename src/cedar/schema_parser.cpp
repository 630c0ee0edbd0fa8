// SPDX-License-Identifier: Apache-2.0
//
// Cedar's schema syntax.
#include "cedar/schema_syntax.h"
#include "cedar/token_stream.h"

#include <algorithm>
#include <set>

namespace writ::cedar {

namespace {

// LIMIT: of one declaration; each is compared with those before it.
constexpr std::size_t annotations_max = 256;

class SchemaParser {
public:
    SchemaParser(PolicySource const& source, std::vector<SyntaxProblem>& problems)
        : tokens_(source.text)
        , path_(source.path)
        , problems_(problems)
    {
    }

    SchemaSyntax run()
    {
        while (!tokens_.at_end())
            if (auto const done = top_level(); done.is_error()) {
                report(done.error());
                tokens_.recover();
            }
        return std::move(schema_);
    }

private:
    using Annotations = std::vector<Annotation>;

    void report(Error const& error) { problems_.push_back({ path_, tokens_.problem_span(), error.message }); }

    NamespaceSyntax& namespace_called(std::string const& name, SourceSpan span)
    {
        auto const found = std::find_if(schema_.namespaces.begin(), schema_.namespaces.end(), [&](NamespaceSyntax const& n) { return n.name == name; });
        if (found != schema_.namespaces.end())
            return *found;
        return schema_.namespaces.emplace_back(NamespaceSyntax { .name = name, .span = span });
    }

    Result<> top_level()
    {
        auto const begin = tokens_.token().span;
        auto annotations = TRY(read_annotations());
        if (!tokens_.token().is_word("namespace"))
            return declaration(namespace_called("", begin), std::move(annotations), begin);
        tokens_.take();
        auto const name = TRY(tokens_.take_name("a namespace"));
        if (!namespaces_.insert(name).second)
            return tokens_.problem(tokens_.span_from(begin), "namespace `" + name + "` is declared twice");
        TRY(tokens_.expect("{"));
        auto& space = namespace_called(name, begin);
        space.annotations = std::move(annotations);
        while (!tokens_.take_if("}")) {
            if (tokens_.at_end())
                return tokens_.expected("`}`");
            auto const from = tokens_.token().span;
            auto const done = declaration_of(space, from);
            if (done.is_error()) {
                report(done.error());
                tokens_.recover();
            }
        }
        return {};
    }

    Result<> declaration_of(NamespaceSyntax& space, SourceSpan begin) { return declaration(space, TRY(read_annotations()), begin); }

    Result<> declaration(NamespaceSyntax& space, Annotations annotations, SourceSpan begin)
    {
        if (tokens_.take_word_if("entity"))
            return entity(space, std::move(annotations), begin);
        if (tokens_.take_word_if("action"))
            return action(space, std::move(annotations), begin);
        if (tokens_.take_word_if("type"))
            return common_type(space, std::move(annotations), begin);
        return tokens_.expected("`entity`, `action`, `type` or `namespace`");
    }

    Result<Annotations> read_annotations()
    {
        Annotations found;
        while (tokens_.token().is("@")) {
            auto const begin = tokens_.take().span;
            if (tokens_.token().kind != TokenKind::identifier)
                return tokens_.expected("an annotation's name");
            Annotation made { std::string(tokens_.take().text), {}, begin };
            if (tokens_.take_if("(")) {
                made.value = TRY(tokens_.take_string());
                TRY(tokens_.expect(")"));
            }
            if (found.size() == annotations_max)
                return tokens_.problem(tokens_.span_from(begin), "more than " + std::to_string(annotations_max) + " annotations");
            if (std::any_of(found.begin(), found.end(), [&](Annotation const& a) { return a.name == made.name; }))
                return tokens_.problem(tokens_.span_from(begin), "annotation `@" + made.name + "` stands twice");
            found.push_back(std::move(made));
        }
        return found;
    }

    // `a, b, c`.
    template <typename Read>
    Result<std::vector<std::string>> list(Read&& read)
    {
        std::vector<std::string> found;
        do
            found.push_back(TRY(read()));
        while (tokens_.take_if(","));
        return found;
    }

    // Any identifier: what names of attributes and actions may be without quotes.
    Result<std::string> identifier_or_string(std::string_view what)
    {
        if (tokens_.token().kind == TokenKind::string)
            return tokens_.take_string();
        if (tokens_.token().kind != TokenKind::identifier)
            return tokens_.expected(what);
        return std::string(tokens_.take().text);
    }

    // A name, or names in brackets.
    Result<std::vector<std::string>> entity_types()
    {
        std::vector<std::string> found;
        if (!tokens_.take_if("[")) {
            found.push_back(TRY(tokens_.take_name("an entity type")));
            return found;
        }
        while (!tokens_.take_if("]")) {
            found.push_back(TRY(tokens_.take_name("an entity type")));
            if (!tokens_.token().is("]"))
                TRY(tokens_.expect(","));
        }
        return found;
    }

    Result<> entity(NamespaceSyntax& space, Annotations annotations, SourceSpan begin)
    {
        auto const names = TRY(list([&] { return tokens_.take_identifier("an entity type"); }));
        EntityTypeSyntax made { .annotations = std::move(annotations) };
        if (tokens_.take_word_if("enum")) {
            TRY(choices(made));
        } else {
            if (tokens_.take_word_if("in"))
                made.member_of = TRY(entity_types());
            bool const has_shape = tokens_.take_if("=") || tokens_.token().is("{");
            if (has_shape)
                made.shape = TRY(record());
            if (tokens_.take_word_if("tags"))
                made.tags = TRY(type(0));
        }
        TRY(tokens_.expect(";"));
        made.span = tokens_.span_from(begin);
        for (auto const& name : names) {
            made.name = name;
            space.entity_types.push_back(made);
        }
        return {};
    }

    Result<> choices(EntityTypeSyntax& made)
    {
        made.is_enumerated = true;
        TRY(tokens_.expect("["));
        while (!tokens_.take_if("]")) {
            made.choices.push_back(TRY(tokens_.take_string()));
            if (!tokens_.token().is("]"))
                TRY(tokens_.expect(","));
        }
        if (made.choices.empty())
            return tokens_.problem(tokens_.token().span, "an enumerated entity type needs at least one choice");
        return {};
    }

    Result<> action(NamespaceSyntax& space, Annotations annotations, SourceSpan begin)
    {
        auto const names = TRY(list([&] { return identifier_or_string("an action"); }));
        ActionSyntax made { .annotations = std::move(annotations) };
        if (tokens_.take_word_if("in"))
            TRY(action_groups(made));
        if (tokens_.take_word_if("appliesTo"))
            TRY(applies_to(made));
        TRY(tokens_.expect(";"));
        made.span = tokens_.span_from(begin);
        for (auto const& name : names) {
            made.id = name;
            space.actions.push_back(made);
        }
        return {};
    }

    Result<> action_groups(ActionSyntax& made)
    {
        if (!tokens_.take_if("[")) {
            made.member_of.push_back(TRY(action_reference()));
            return {};
        }
        while (!tokens_.take_if("]")) {
            made.member_of.push_back(TRY(action_reference()));
            if (!tokens_.token().is("]"))
                TRY(tokens_.expect(","));
        }
        return {};
    }

    Result<ActionReference> action_reference()
    {
        ActionReference made { {}, {}, tokens_.token().span };
        if (tokens_.token().kind == TokenKind::identifier && tokens_.ahead().is("::")) {
            made.type = TRY(tokens_.take_name("an action"));
            TRY(tokens_.expect("::"));
            made.id = TRY(tokens_.take_string());
        } else {
            made.id = TRY(identifier_or_string("an action"));
        }
        return made;
    }

    Result<> applies_to(ActionSyntax& made)
    {
        made.applies_to.emplace();
        TRY(tokens_.expect("{"));
        std::set<std::string> seen;
        while (!tokens_.take_if("}")) {
            auto const token = tokens_.token();
            auto const word = TRY(tokens_.take_identifier("`principal`, `resource` or `context`"));
            TRY(tokens_.expect(":"));
            if (!seen.insert(word).second)
                return tokens_.problem(token.span, "`" + word + "` stands twice");
            if (word == "principal")
                made.applies_to->principals = TRY(entity_types());
            else if (word == "resource")
                made.applies_to->resources = TRY(entity_types());
            else if (word == "context")
                made.applies_to->context = TRY(type(0));
            else
                return tokens_.problem(token.span, "expected `principal`, `resource` or `context`, found `" + word + "`");
            if (!tokens_.token().is("}"))
                TRY(tokens_.expect(","));
        }
        if (!seen.contains("principal") || !seen.contains("resource"))
            return tokens_.problem(made.span, "`appliesTo` needs `principal` and `resource`");
        return {};
    }

    Result<> common_type(NamespaceSyntax& space, Annotations annotations, SourceSpan begin)
    {
        CommonTypeSyntax made { .annotations = std::move(annotations) };
        made.name = TRY(tokens_.take_identifier("a type"));
        TRY(tokens_.expect("="));
        made.type = TRY(type(0));
        TRY(tokens_.expect(";"));
        made.span = tokens_.span_from(begin);
        space.common_types.push_back(std::move(made));
        return {};
    }

    Result<TypeSyntax> type(int depth)
    {
        auto const begin = tokens_.token().span;
        if (depth > type_depth_max)
            return tokens_.problem(begin, "types are nested deeper than " + std::to_string(type_depth_max));
        if (tokens_.token().is("{"))
            return record(depth);
        TypeSyntax made { .kind = TypeSyntax::Kind::name };
        if (tokens_.token().is_word("Set") && tokens_.ahead().is("<")) {
            tokens_.take();
            tokens_.take();
            made.kind = TypeSyntax::Kind::set;
            made.element.push_back(TRY(type(depth + 1)));
            TRY(tokens_.expect(">"));
        } else {
            made.name = TRY(type_name_path());
        }
        made.span = tokens_.span_from(begin);
        return made;
    }

    // As any name, but the built-in types may be written `__cedar::Long`.
    Result<std::string> type_name_path()
    {
        if (!tokens_.token().is_word("__cedar"))
            return tokens_.take_name("a type");
        tokens_.take();
        TRY(tokens_.expect("::"));
        return "__cedar::" + TRY(tokens_.take_identifier("a type"));
    }

    Result<TypeSyntax> record(int depth = 0)
    {
        auto const begin = tokens_.token().span;
        TypeSyntax made;
        TRY(tokens_.expect("{"));
        std::set<std::string> seen;
        while (!tokens_.take_if("}")) {
            auto const from = tokens_.token().span;
            AttributeSyntax attribute;
            attribute.annotations = TRY(read_annotations());
            attribute.name = TRY(identifier_or_string("an attribute"));
            attribute.is_required = !tokens_.take_if("?");
            TRY(tokens_.expect(":"));
            attribute.type = TRY(type(depth + 1));
            attribute.span = tokens_.span_from(from);
            if (!seen.insert(attribute.name).second)
                return tokens_.problem(attribute.span, "attribute `" + attribute.name + "` stands twice");
            made.attributes.push_back(std::move(attribute));
            if (!tokens_.token().is("}"))
                TRY(tokens_.expect(","));
        }
        made.span = tokens_.span_from(begin);
        return made;
    }

    TokenStream tokens_;
    std::string path_;
    std::vector<SyntaxProblem>& problems_;
    SchemaSyntax schema_;
    std::set<std::string> namespaces_;
};

} // namespace

SchemaSyntax parse_schema_syntax(PolicySource const& source, std::vector<SyntaxProblem>& problems)
{
    if (source.text.size() > source_bytes_max) {
        problems.push_back({ source.path, {}, "the text is longer than " + std::to_string(source_bytes_max) + " bytes" });
        return {};
    }
    return SchemaParser(source, problems).run();
}

} // namespace writ::cedar
