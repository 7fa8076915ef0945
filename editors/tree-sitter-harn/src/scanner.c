// What regular expressions cannot tell: line ends that separate statements, comments that nest, texts of strings, the
// meanings of `?`, and whether a brace opens a closure.

#include "tree_sitter/parser.h"

enum Token {
  SEPARATOR,
  BLOCK_COMMENT,
  STRING_TEXT,
  TRIPLE_TEXT,
  QUESTION,
  TERNARY_QUESTION,
  CLOSURE_START,
  ERROR_SENTINEL,
};

void *tree_sitter_harn_external_scanner_create(void) { return NULL; }
void tree_sitter_harn_external_scanner_destroy(void *payload) {}
unsigned tree_sitter_harn_external_scanner_serialize(void *payload, char *buffer) { return 0; }
void tree_sitter_harn_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }
static void skip(TSLexer *lexer) { lexer->advance(lexer, true); }

static bool is_word(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c > 127;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == 0xFEFF; }

// After `/*` of a comment has been read.
static bool rest_of_comment(TSLexer *lexer) {
  int depth = 1;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    advance(lexer);
    if (c == '*' && lexer->lookahead == '/') {
      advance(lexer);
      if (--depth == 0) return true;
    } else if (c == '/' && lexer->lookahead == '*') {
      advance(lexer);
      depth++;
    }
  }
  return false;
}

// Text of a string up to an escape, an interpolation or the closing quotes.
static bool string_text(TSLexer *lexer, bool triple) {
  bool any = false;
  for (;;) {
    lexer->mark_end(lexer);
    if (lexer->eof(lexer)) break;
    int32_t c = lexer->lookahead;
    if (!triple && (c == '\\' || c == '\n' || c == '"')) break;
    if (c == '$') {
      advance(lexer);
      if (lexer->lookahead == '{') break;
      any = true;
      continue;
    }
    if (triple && c == '"') {
      int quotes = 0;
      while (lexer->lookahead == '"' && quotes < 3) {
        advance(lexer);
        quotes++;
      }
      if (quotes == 3) break;
      any = true;
      continue;
    }
    advance(lexer);
    any = true;
  }
  lexer->result_symbol = triple ? TRIPLE_TEXT : STRING_TEXT;
  return any;
}

// Passes over a string inside a brace that is looked through. Interpolations count as text, with their brackets.
static void pass_string(TSLexer *lexer) {
  advance(lexer);
  if (lexer->lookahead == '"') {
    advance(lexer);
    if (lexer->lookahead != '"') return;
    advance(lexer);
    int quotes = 0;
    while (!lexer->eof(lexer) && quotes < 3) {
      quotes = lexer->lookahead == '"' ? quotes + 1 : 0;
      advance(lexer);
    }
    return;
  }
  int braces = 0;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    if (c == '\\') {
      advance(lexer);
      advance(lexer);
      continue;
    }
    if (c == '$') {
      advance(lexer);
      if (lexer->lookahead == '{') {
        braces++;
        advance(lexer);
      }
      continue;
    }
    if (braces > 0 && c == '"') {
      pass_string(lexer);
      continue;
    }
    if (braces > 0 && c == '{') braces++;
    if (braces > 0 && c == '}') braces--;
    if (braces == 0 && (c == '"' || c == '\n')) {
      if (c == '"') advance(lexer);
      return;
    }
    advance(lexer);
  }
}

// Passes over a comment or a lone slash, at a slash; tells whether it was a comment.
static bool pass_slash(TSLexer *lexer) {
  advance(lexer);
  if (lexer->lookahead == '/') {
    while (!lexer->eof(lexer) && lexer->lookahead != '\n') advance(lexer);
    return true;
  }
  if (lexer->lookahead != '*') return false;
  advance(lexer);
  rest_of_comment(lexer);
  return true;
}

// Passes over a word, and over the raw string that `r"` begins.
static void pass_word(TSLexer *lexer) {
  bool raw = lexer->lookahead == 'r';
  advance(lexer);
  if (raw && lexer->lookahead == '"') {
    do advance(lexer);
    while (!lexer->eof(lexer) && lexer->lookahead != '"' && lexer->lookahead != '\n');
    advance(lexer);
    return;
  }
  while (is_word(lexer->lookahead)) advance(lexer);
}

// Whether the brace before holds a `->` at its own level.
static bool holds_arrow(TSLexer *lexer) {
  int depth = 0;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    if (c == '"') {
      pass_string(lexer);
      continue;
    }
    if (c == '/') {
      pass_slash(lexer);
      continue;
    }
    if (is_word(c)) {
      pass_word(lexer);
      continue;
    }
    advance(lexer);
    if (c == '{' || c == '(' || c == '[') depth++;
    if (c == '}' || c == ')' || c == ']') {
      if (depth == 0) return false;
      depth--;
    }
    if (c == '-' && depth == 0 && lexer->lookahead == '>') return true;
  }
  return false;
}

// What may begin the first branch of a ternary.
static bool begins_branch(int32_t c) {
  return is_word(c) || c == '"' || c == '(' || c == '{' || c == '[' || c == '!' || c == '-';
}

// Passes over a word; whether it goes on with the expression before it, so that it begins nothing.
static bool at_operator_word(TSLexer *lexer) {
  char word[12];
  unsigned length = 0;
  if (lexer->lookahead == 'r') return false;
  while (is_word(lexer->lookahead) && length < 11) {
    word[length++] = (char)lexer->lookahead;
    advance(lexer);
  }
  word[length] = 0;
  const char *others[] = {"in", "to", "not", "else", "as", "with", "from"};
  for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
    unsigned j = 0;
    while (word[j] && word[j] == others[i][j]) j++;
    if (!word[j] && !others[i][j]) return true;
  }
  return false;
}

// Whether what begins here continues the expression of the line before.
static bool continues(TSLexer *lexer) {
  switch (lexer->lookahead) {
    case '|':
      return true;
    case '&':
    case '<':
    case '>':
    case '+':
    case '*':
    case '/':
    case '%':
      return true;
    case '.':
      advance(lexer);
      // `...x` begins something new.
      return lexer->lookahead != '.';
    case '=':
      return true;
    case '!':
      advance(lexer);
      return lexer->lookahead == '=';
    case '?':
      advance(lexer);
      return lexer->lookahead == '.' || lexer->lookahead == '?';
    case ':':
    case ',':
    case ')':
    case ']':
      return true;
    case '-':
      advance(lexer);
      return lexer->lookahead == '>';
    default:
      return false;
  }
}

// Whether the expression that begins here is followed by a `:`, as the first branch of a ternary is. Ternaries inside
// take their own.
static bool colon_follows(TSLexer *lexer) {
  int depth = 0, inside = 0;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    if (c == '"') {
      pass_string(lexer);
    } else if (c == '/') {
      pass_slash(lexer);
    } else if (is_word(c)) {
      pass_word(lexer);
    } else if (c == '{' || c == '(' || c == '[') {
      depth++;
      advance(lexer);
    } else if (c == '}' || c == ')' || c == ']') {
      if (depth == 0) return false;
      depth--;
      advance(lexer);
    } else if (depth > 0) {
      advance(lexer);
    } else if (c == ',' || c == ';') {
      return false;
    } else if (c == ':') {
      if (inside == 0) return true;
      inside--;
      advance(lexer);
    } else if (c == '?') {
      advance(lexer);
      c = lexer->lookahead;
      if (c == '?' || c == '.' || c == '[') {
        advance(lexer);
        if (c == '[') depth++;
        continue;
      }
      while (is_blank(lexer->lookahead)) advance(lexer);
      if (begins_branch(lexer->lookahead)) inside++;
    } else if (c == '\n') {
      do advance(lexer);
      while (is_blank(lexer->lookahead) || lexer->lookahead == '\n');
      // `continues` passes the first of two signs, which must not be taken for one that stands alone.
      bool two = lexer->lookahead == '?';
      if (!continues(lexer)) return false;
      if (two) advance(lexer);
    } else if (c == '\\') {
      advance(lexer);
      if (lexer->lookahead == '\r') advance(lexer);
      if (lexer->lookahead == '\n') advance(lexer);
    } else {
      advance(lexer);
    }
  }
  return false;
}

// `?`: what stands behind it decides (spec 01 section 6.3): a branch with a `:` behind it makes a ternary. `a ?[i]` is a
// subscript; `a ? [i]` one when no colon follows. (Only the parser knows of a ternary around it that waits for that
// colon; the formatter writes `p ? a?[i] : b`.)
static bool question(TSLexer *lexer, const bool *valid) {
  advance(lexer);
  if (lexer->lookahead == '.' || lexer->lookahead == '?') return false;
  lexer->mark_end(lexer);
  bool apart = is_blank(lexer->lookahead);
  while (is_blank(lexer->lookahead)) advance(lexer);
  bool ternary = (lexer->lookahead == '[' ? apart : begins_branch(lexer->lookahead)) && !at_operator_word(lexer);
  if (ternary && valid[TERNARY_QUESTION] && colon_follows(lexer)) {
    lexer->result_symbol = TERNARY_QUESTION;
    return true;
  }
  if (valid[QUESTION]) {
    lexer->result_symbol = QUESTION;
    return true;
  }
  return false;
}

// A word that belongs to the statement before, on whatever line it stands.
static bool clings(TSLexer *lexer) {
  char word[10];
  unsigned length = 0;
  while (is_word(lexer->lookahead) && length < 9) {
    word[length++] = (char)lexer->lookahead;
    advance(lexer);
  }
  word[length] = 0;
  const char *words[] = {"else", "catch", "finally", "where", "extends"};
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
    unsigned j = 0;
    while (word[j] && word[j] == words[i][j]) j++;
    if (!word[j] && !words[i][j]) return true;
  }
  return false;
}

bool tree_sitter_harn_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  if (valid[ERROR_SENTINEL]) return false;
  if (valid[STRING_TEXT]) return string_text(lexer, false);
  if (valid[TRIPLE_TEXT]) return string_text(lexer, true);

  bool newline = false;
  for (;;) {
    while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
      newline |= lexer->lookahead == '\n';
      skip(lexer);
    }
    if (!newline || !valid[SEPARATOR]) break;
    // The separator is empty and stands before the comments.
    lexer->mark_end(lexer);
    lexer->result_symbol = SEPARATOR;
    while (lexer->lookahead == '/') {
      if (!pass_slash(lexer)) return false;
      while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') advance(lexer);
    }
    if (lexer->eof(lexer) || lexer->lookahead == '}') return true;
    if (is_word(lexer->lookahead)) return !clings(lexer);
    return !continues(lexer);
  }

  if (lexer->lookahead == '/' && valid[BLOCK_COMMENT]) {
    advance(lexer);
    if (lexer->lookahead != '*') return false;
    advance(lexer);
    rest_of_comment(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = BLOCK_COMMENT;
    return true;
  }
  if (lexer->lookahead == '?' && !newline && (valid[QUESTION] || valid[TERNARY_QUESTION])) {
    return question(lexer, valid);
  }
  if (lexer->lookahead == '{' && valid[CLOSURE_START]) {
    advance(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = CLOSURE_START;
    return holds_arrow(lexer);
  }
  return false;
}
