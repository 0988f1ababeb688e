#include "kafka/group/group_view.h"

#include <stdio.h>
#include <string.h>

enum { NAMED_MAX = 4 };

static bool is_foreign(const struct group_member *m, const char *own_client_id)
{
    return strcmp(m->client_id, own_client_id) != 0;
}

static bool is_mixed(const struct group_member *m)
{
    return m->other_topic != NULL;
}

static void name_member(const struct group_member *m, int named, char *text)
{
    size_t len = strlen(text);
    const char *host = *m->host == '/' ? m->host + 1 : m->host; /* Java writes InetAddress so */
    snprintf(text + len, GROUP_VIEW_TEXT - len, "%s%.60s (%.60s%s%.60s%s%.80s)",
             named > 0 ? ", " : "", m->client_id, host, *m->instance != '\0' ? ", instance " : "",
             m->instance, m->other_topic != NULL ? ", reads " : "",
             m->other_topic != NULL ? m->other_topic : "");
}

enum group_view group_view_of(const struct group_member *members, size_t count,
                              const char *own_client_id, char ret_text[GROUP_VIEW_TEXT])
{
    enum group_view view = count > 0 ? GROUP_IS_OURS : GROUP_IS_EMPTY;
    int named = 0;
    for (size_t i = 0; i < count; i++)
        if (is_foreign(&members[i], own_client_id))
            view = GROUP_IS_FOREIGN;
        else if (is_mixed(&members[i]) && view != GROUP_IS_FOREIGN)
            view = GROUP_IS_MIXED;
    snprintf(ret_text, GROUP_VIEW_TEXT, "%s", "");
    for (size_t i = 0; i < count && named < NAMED_MAX; i++) {
        bool at_fault = view == GROUP_IS_OURS ||
                        (view == GROUP_IS_FOREIGN && is_foreign(&members[i], own_client_id)) ||
                        (view == GROUP_IS_MIXED && is_mixed(&members[i]));
        if (at_fault)
            name_member(&members[i], named++, ret_text);
    }
    return view;
}
