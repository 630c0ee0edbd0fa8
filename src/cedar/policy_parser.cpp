// SPDX-License-Identifier: Apache-2.0
//
// Annotations, effect, scope and conditions of one policy, or of a template.
#include "cedar/parser.h"

#include <algorithm>

namespace writ::cedar {

namespace {

// LIMIT: of one policy; each is compared with those before it.
constexpr std::size_t annotations_max = 256;

class PolicyParser {
public:
    PolicyParser(TokenStream& tokens, PayloadPool& payloads, Policy& policy)
        : tokens_(tokens)
        , expressions_(tokens, payloads)
        , policy_(policy)
    {
    }

    Result<> run()
    {
        auto const begin = tokens_.token().span;
        while (tokens_.take_if("@"))
            TRY(annotation());
        TRY(effect());
        TRY(tokens_.expect("("));
        TRY(constraint("principal", policy_.principal));
        TRY(tokens_.expect(","));
        TRY(constraint("action", policy_.action));
        TRY(tokens_.expect(","));
        TRY(constraint("resource", policy_.resource));
        tokens_.take_if(",");
        TRY(tokens_.expect(")"));
        while (!tokens_.token().is(";"))
            TRY(condition());
        tokens_.take();
        policy_.span = tokens_.span_from(begin);
        return {};
    }

private:
    Result<> annotation()
    {
        auto const begin = tokens_.token().span;
        if (tokens_.token().kind != TokenKind::identifier)
            return tokens_.expected("an annotation's name");
        Annotation made { std::string(tokens_.take().text), {}, begin };
        if (tokens_.take_if("(")) {
            made.value = TRY(tokens_.take_string());
            TRY(tokens_.expect(")"));
        }
        made.span = tokens_.span_from(begin);
        if (policy_.annotations.size() == annotations_max)
            return tokens_.problem(made.span, "more than " + std::to_string(annotations_max) + " annotations");
        if (policy_.annotation(made.name) != nullptr)
            return tokens_.problem(made.span, "annotation `@" + made.name + "` stands twice");
        policy_.annotations.push_back(std::move(made));
        return {};
    }

    Result<> effect()
    {
        if (tokens_.take_word_if("forbid"))
            policy_.effect = Effect::forbid;
        else if (!tokens_.take_word_if("permit"))
            return tokens_.expected("`permit` or `forbid`");
        return {};
    }

    Result<> constraint(std::string_view variable, ScopeConstraint& made)
    {
        auto const begin = tokens_.token().span;
        if (!tokens_.take_word_if(variable))
            return tokens_.expected("`" + std::string(variable) + "`");
        if (tokens_.token().is(":"))
            return tokens_.problem(tokens_.token().span, "a scope says a type with `is`");
        if (tokens_.take_if("==")) {
            made.kind = ScopeConstraint::Kind::equal;
            TRY(entity_or_slot(made, variable));
        } else if (tokens_.take_word_if("in")) {
            made.kind = ScopeConstraint::Kind::in;
            TRY(group(made, variable));
        } else if (tokens_.token().is_word("is") && variable != "action") {
            tokens_.take();
            made.kind = ScopeConstraint::Kind::is;
            made.type = TRY(tokens_.take_name("an entity type"));
            if (tokens_.take_word_if("in")) {
                made.kind = ScopeConstraint::Kind::is_in;
                TRY(entity_or_slot(made, variable));
            }
        }
        made.span = tokens_.span_from(begin);
        return {};
    }

    Result<> group(ScopeConstraint& made, std::string_view variable)
    {
        if (variable != "action" || !tokens_.take_if("["))
            return entity_or_slot(made, variable);
        made.kind = ScopeConstraint::Kind::in_any;
        while (!tokens_.take_if("]")) {
            TRY(entity_or_slot(made, variable));
            if (!tokens_.token().is("]"))
                TRY(tokens_.expect(","));
        }
        return {};
    }

    Result<> entity_or_slot(ScopeConstraint& made, std::string_view variable)
    {
        auto const token = tokens_.token();
        if (token.kind == TokenKind::slot) {
            if (token.text != variable)
                return tokens_.problem(token.span, describe(token) + " cannot stand in the scope of `" + std::string(variable) + "`");
            tokens_.take();
            made.is_slot = true;
            return {};
        }
        // One may put parentheses around it, as around any expression.
        if (tokens_.take_if("(")) {
            TRY(entity_or_slot(made, variable));
            TRY(tokens_.expect(")"));
            return {};
        }
        auto type = TRY(tokens_.take_name("an entity such as `User::\"alice\"`"));
        TRY(tokens_.expect("::"));
        auto id = TRY(tokens_.take_string());
        made.entities.push_back({ std::move(type), std::move(id) });
        if (variable == "action" && !is_action_type(made.entities.back().type))
            return tokens_.problem(tokens_.span_from(token.span), "`" + to_string(made.entities.back()) + "` is no action: its type must be `Action`");
        return {};
    }

    Result<> condition()
    {
        auto const begin = tokens_.token().span;
        auto& made = policy_.conditions.emplace_back();
        if (tokens_.take_word_if("unless"))
            made.is_unless = true;
        else if (!tokens_.take_word_if("when"))
            return tokens_.expected("`when`, `unless` or `;`");
        TRY(tokens_.expect("{"));
        made.body = TRY(expressions_.expression());
        TRY(tokens_.expect("}"));
        made.span = tokens_.span_from(begin);
        return {};
    }

    static bool is_action_type(std::string_view type) { return type == "Action" || type.ends_with("::Action"); }

    TokenStream& tokens_;
    ExpressionParser expressions_;
    Policy& policy_;
};

} // namespace

std::string const* Policy::annotation(std::string_view name) const
{
    auto const found = std::find_if(annotations.begin(), annotations.end(), [&](Annotation const& a) { return a.name == name; });
    return found == annotations.end() ? nullptr : &found->value;
}

Result<> parse_policy(TokenStream& tokens, PayloadPool& payloads, Policy& policy) { return PolicyParser(tokens, payloads, policy).run(); }

Result<Policy> parse_policy(TokenStream& tokens)
{
    PayloadPool payloads;
    Policy policy;
    TRY(parse_policy(tokens, payloads, policy));
    return policy;
}

Result<EntityUid> parse_entity_uid(std::string_view text)
{
    TokenStream tokens(text);
    auto type = TRY(tokens.take_name("an entity such as `User::\"alice\"`"));
    TRY(tokens.expect("::"));
    auto id = TRY(tokens.take_string());
    if (!tokens.at_end())
        return tokens.expected("the end");
    return EntityUid { std::move(type), std::move(id) };
}

} // namespace writ::cedar
