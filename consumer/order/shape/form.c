/* form: the two forms in which Elementor Pro's Webhook action sends a form's fields. */
#include "order/shape/shape.h"

#include "base/hex.h"

#include <string.h>

/* Elementor's word for a field's kind; a receiver may format by it. */
static const char *type_of(enum payload_field field)
{
    if (field == FIELD_CLIENT_PHONE)
        return "tel";
    enum field_shape shape = payload_field_rules[field].shape;
    return shape == SHAPE_NUMBER || shape == SHAPE_WHOLE ? "number" : "text";
}

struct form_options form_options_of(const struct config *config)
{
    struct form_options options = {.form_id = config->payload_form_id,
                                   .form_name = config->payload_form_name};
    for (size_t f = 0; f < FIELD_COUNT; f++)
        options.labels[f] =
            config->payload_label[f] != NULL ? config->payload_label[f] : payload_field_names[f];
    return options;
}

/* ---- encoding ---- */

/* PHP's urlencode: letters, digits, "-", "_" and "." stand for themselves, a space is "+". */
static void add_byte(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        (c != '\0' && strchr("-_.", c) != NULL)) {
        buf_add_char(b, (char)c);
    } else if (c == ' ') {
        buf_add_char(b, '+');
    } else {
        const char code[] = {'%', hex[c >> 4], hex[c & 15]};
        buf_add(b, code, sizeof code);
    }
}

static void add_text(struct buf *b, const char *text)
{
    for (; *text != '\0'; text++)
        add_byte(b, (unsigned char)*text);
}

/* The escapes that order/payload writes: short forms, else \u00xx. Returns how long this one is. */
static size_t add_escaped(struct buf *b, const char *at)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *name = strchr(names, at[1]);
    if (at[1] == 'u') {
        add_byte(b, (unsigned char)(hex_digit(at[4]) * 16 + hex_digit(at[5])));
        return 6;
    }
    add_byte(b, (unsigned char)(name != NULL ? bytes[name - names] : at[1]));
    return 2;
}

/* A field's value: a number's digits, a string without quotes and escapes. */
static void add_token(struct buf *b, struct slice token)
{
    if (token.data[0] == '"')
        token = (struct slice){token.data + 1, token.len - 2};
    for (size_t i = 0; i < token.len;)
        if (token.data[i] == '\\')
            i += add_escaped(b, token.data + i);
        else
            add_byte(b, (unsigned char)token.data[i++]);
}

/* ---- elementor ---- */

static void add_pair(struct buf *b, const char *name, const char *value)
{
    add_text(b, name);
    buf_add_char(b, '=');
    add_text(b, value);
}

bool form_write(const struct form_options *options, const struct shape_values *values,
                struct buf *b)
{
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        add_text(b, options->labels[f]);
        buf_add_char(b, '=');
        add_token(b, values->token[f]);
        buf_add_char(b, '&');
    }
    add_pair(b, "form_id", options->form_id);
    buf_add_char(b, '&');
    add_pair(b, "form_name", options->form_name);
    return buf_ok(b);
}

/* ---- elementor-advanced ---- */

/* "&group[id][member]=" */
static void add_path(struct buf *b, const char *group, const char *id, const char *member)
{
    buf_add_char(b, '&');
    add_text(b, group);
    add_text(b, "[");
    add_text(b, id);
    add_text(b, "][");
    add_text(b, member);
    add_text(b, "]");
    buf_add_char(b, '=');
}

static void add_member(struct buf *b, const char *group, const char *id, const char *member,
                       const char *value)
{
    add_path(b, group, id, member);
    add_text(b, value);
}

static void add_field(struct buf *b, enum payload_field field, const char *label,
                      struct slice token)
{
    const char *id = payload_field_names[field];
    add_member(b, "fields", id, "id", id);
    add_member(b, "fields", id, "type", type_of(field));
    add_member(b, "fields", id, "title", label);
    add_path(b, "fields", id, "value");
    add_token(b, token);
    add_path(b, "fields", id, "raw_value");
    add_token(b, token);
    add_member(b, "fields", id, "required", payload_field_rules[field].required ? "1" : "0");
}

/* Elementor's facts about the visitor are present and empty. The time is the confirmation's: the
 * same in every attempt. */
static void add_meta(struct buf *b, struct slice confirmed_at)
{
    enum { DATE = 10, TIME_BEGIN = 11, TIME = 8 };
    const char *text = confirmed_at.data + 1;
    char date[DATE + 1] = "", time[TIME + 1] = "";
    if (confirmed_at.len >= 2 + TIME_BEGIN + TIME) {
        memcpy(date, text, DATE);
        memcpy(time, text + TIME_BEGIN, TIME);
    }
    const struct {
        const char *id, *title, *value;
    } meta[] = {{"date", "Date", date},         {"time", "Time", time},
                {"page_url", "Page URL", ""},   {"user_agent", "User Agent", ""},
                {"remote_ip", "Remote IP", ""}, {"credit", "Powered by", "elementor-sync"}};
    for (size_t i = 0; i < sizeof meta / sizeof *meta; i++) {
        add_member(b, "meta", meta[i].id, "title", meta[i].title);
        add_member(b, "meta", meta[i].id, "value", meta[i].value);
    }
}

bool form_write_advanced(const struct form_options *options, const struct shape_values *values,
                         struct buf *b)
{
    add_pair(b, "form[id]", options->form_id);
    buf_add_char(b, '&');
    add_pair(b, "form[name]", options->form_name);
    for (size_t f = 0; f < FIELD_COUNT; f++)
        add_field(b, (enum payload_field)f, options->labels[f], values->token[f]);
    add_meta(b, values->token[FIELD_CONFIRMED_AT]);
    return buf_ok(b);
}
