// words_tests: both languages say the same things, and every reason of the closed list has words.
import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const names = (text) => [...new Set(typeof text === 'string' ? text.match(/\{\w+\}/g) ?? [] : Object.values(text).flatMap((t) => t.match(/\{\w+\}/g) ?? []))].sort();

// An ES module of the page, which is no package of node's.
async function load(file) {
    return import('data:text/javascript,' + encodeURIComponent(await readFile(file, 'utf8')));
}

export async function wordsTests(folder) {
    const all = async (language) => ({ ...(await load(join(folder, `words-${language}.js`)))[language], ...(await load(join(folder, `words-more-${language}.js`))).more });
    const en = await all('en'), fr = await all('fr');

    function both_languages_say_the_same_things() {
        assert.deepEqual(Object.keys(fr).sort(), Object.keys(en).sort());
        for (const key of Object.keys(en)) {
            assert.equal(typeof fr[key], typeof en[key], key);
            assert.deepEqual(names(fr[key]), names(en[key]), key);
        }
    }

    // Those that Unicode CLDR has for the language, and numbers of their own.
    function plurals_are_those_of_the_language() {
        for (const [language, words] of [['en', en], ['fr', fr]]) {
            const known = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
            for (const [key, forms] of Object.entries(words).filter(([, text]) => typeof text === 'object')) {
                assert('other' in forms, `${language} ${key}`);
                for (const form of Object.keys(forms))
                    assert(known.includes(form) || /^\d+$/.test(form), `${language} ${key}: ${form}`);
            }
        }
    }

    async function every_word_is_used_and_every_use_has_a_word() {
        const files = (await readdir(folder)).filter((f) => f.endsWith('.js') && !f.startsWith('words-'));
        const code = (await Promise.all(files.map((f) => readFile(join(folder, f), 'utf8')))).join('\n');
        for (const [, key] of code.matchAll(/\bt\('(\w+)'/g))
            assert(key in en, `no word for ${key}`);
        const families = [...code.matchAll(/`(\w+_)\$\{/g)].map((m) => m[1]);
        for (const key of Object.keys(en))
            assert(code.includes(`'${key}'`) || families.some((f) => key.startsWith(f)), `never said: ${key}`);
    }

    async function every_field_failure_and_problem_has_words() {
        const root = join(folder, '../..');
        const header = await readFile(join(root, 'cdc/change.h'), 'utf8');
        const fields = [...header.matchAll(/^\s*X\(\w+, "(\w+)", "\w+"/gm)].map((m) => m[1]);
        assert(fields.length >= 12, 'the fields were found');
        for (const field of fields)
            assert(`f_${field}` in en, field);
        const rejects = [...(await readFile(join(root, 'order/payload.h'), 'utf8')).matchAll(/X\([A-Z_]+, "(\w+)"\)/g)].map((m) => m[1]);
        assert(rejects.length >= 7);
        for (const reject of rejects)
            assert(`r_${reject}` in en, reject);
        const failures = [...(await readFile(join(root, 'http/response_class.c'), 'utf8')).matchAll(/\[FAILURE_\w+\] = "(\w+)"/g)].map((m) => m[1]);
        assert(failures.length >= 6);
        for (const failure of failures)
            assert(`l_${failure}` in en, failure);
        const answers = [...(await readFile(join(root, 'http/answer.c'), 'utf8')).matchAll(/\[ANSWER_\w+\] = "(\w+)"/g)].map((m) => m[1]);
        assert(answers.length >= 4);
        for (const answer of answers)
            assert(`l_${answer}` in en, answer);
        const problems = [...(await readFile(join(folder, '../web/reply.h'), 'utf8')).matchAll(/^\s*X\([A-Z_]+, "([a-z-]+)", \d+/gm)].map((m) => m[1]);
        assert(problems.length >= 15);
        for (const problem of problems)
            assert(`x_${problem.replaceAll('-', '_')}` in en, problem);
    }

    return [both_languages_say_the_same_things, plurals_are_those_of_the_language, every_word_is_used_and_every_use_has_a_word, every_field_failure_and_problem_has_words].map((t) => [t.name, t]);
}
