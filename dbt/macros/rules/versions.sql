{# Versions as the version specifiers standard (PEP 440) spells them, so that one release has one name wherever it is published. #}

{# Groups: 1 epoch, 2 release, 3 and 4 pre-release, 5 and 7 post-release, 6 its letters, 8 and 9 development. What follows a + is the local part. #}
{% macro version_pattern() -%}
    ^v?(?:([0-9]+)!)?([0-9]+(?:[.][0-9]+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?([0-9]+)?)?(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]+)?)?(?:[-_.]?(dev)[-_.]?([0-9]+)?)?$
{%- endmacro %}

{# A number without the zeros before it; 0 for none. #}
{% macro plain_number(text) -%}
    coalesce(nullif(trim(leading '0' from {{ text }}), ''), '0')
{%- endmacro %}

{# The text in normal form; null if it is no version. `text` is in lower case and has no blanks around it. #}
{% macro normal_version(text) -%}
    {%- set pattern = version_pattern() -%}
    {%- set base = 'split_part(' ~ text ~ ", '+', 1)" -%}
    {%- set local = "nullif(split_part(" ~ text ~ ", '+', 2), '')" -%}
    {%- set leading_zeros = '(^|[.])0+([0-9]+)([.]|$)' -%}
    case
        when
            {{ matches(base, pattern) }}
            and (
                {{ text }} = {{ base }}
                or ({{ matches(local, '^[a-z0-9]+([-_.][a-z0-9]+)*$') }} and {{ text }} = {{ base }} || '+' || {{ local }})
            )
            then
                case
                    when {{ plain_number(caught(base, pattern, 1)) }} <> '0'
                        then {{ plain_number(caught(base, pattern, 1)) }} || '!'
                    else ''
                end
                || {{ replaced(caught(base, pattern, 2), '(^|[.])0+([0-9])', '\\1\\2') }}
                || coalesce(
                    case {{ caught(base, pattern, 3) }}
                        when 'alpha' then 'a'
                        when 'beta' then 'b'
                        when 'c' then 'rc'
                        when 'pre' then 'rc'
                        when 'preview' then 'rc'
                        else {{ caught(base, pattern, 3) }}
                    end || {{ plain_number(caught(base, pattern, 4)) }},
                    ''
                )
                || case
                    when {{ caught(base, pattern, 5) }} is not null then '.post' || {{ plain_number(caught(base, pattern, 5)) }}
                    when {{ caught(base, pattern, 6) }} is not null then '.post' || {{ plain_number(caught(base, pattern, 7)) }}
                    else ''
                end
                || case
                    when {{ caught(base, pattern, 8) }} is not null then '.dev' || {{ plain_number(caught(base, pattern, 9)) }}
                    else ''
                end
                -- Twice, since neighbours share a dot.
                || coalesce('+' || {{ replaced(
                    replaced(replaced(local, '[-_]', '.'), leading_zeros, '\\1\\2\\3'), leading_zeros, '\\1\\2\\3'
                ) }}, '')
    end
{%- endmacro %}

{# What a tag says of its version: what stands before its first digit is a prefix. The whole tag where it has no digit. #}
{% macro version_part(tag) -%}
    coalesce({{ caught('lower(' ~ tag ~ ')', '[0-9].*$', 0) }}, lower({{ tag }}))
{%- endmacro %}

{# Whether a release reads as a pre-release: by its version in normal form, or by its tag, in lower case, if that is no version. #}
{% macro reads_as_prerelease(version, tag) -%}
    case
        when {{ version }} is not null then {{ matches("split_part(" ~ version ~ ", '+', 1)", '[0-9](a|b|rc)[0-9]|[.]dev[0-9]') }}
        else {{ matches(tag, '(^|[^a-z])(rc|alpha|beta|dev|pre|preview|snapshot|m[0-9]+)[0-9]*([^a-z]|$)|[0-9][-_.]?(a|b|m|rc)[0-9]+$') }}
    end
{%- endmacro %}
