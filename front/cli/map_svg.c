/* A sheet as SVG: text, self-contained, for a browser on light or dark paper.
 *
 * Colours are classes of a style sheet with a second set for dark paper. A cell is a path (shorter than a rect) with a
 * <title> that viewers show under the pointer. Names from images reach the file with XML's own characters escaped;
 * characters that XML cannot hold at all have been taken out by cli_shown(), except two that are replaced here.
 *
 * Left out: scripts, outside fonts, links. */
#include "map_sheet.h"

#include <string.h>

static void put_escaped(const char *s, FILE *to)
{
	for (; *s; s++) {
		if (!strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3)) {
			fputs("\xef\xbf\xbd", to);
			s += 2;
		} else if (strchr("<>&\"'", *s)) {
			fprintf(to, "&#%d;", *s);
		} else {
			putc(*s, to);
		}
	}
}

static bool is_used(const struct sheet *s, unsigned ink)
{
	for (size_t i = 0; i < s->shape_count; i++)
		if (s->shapes[i].ink == ink)
			return true;
	return ink == SHEET_PAPER;
}

static void put_colours(const struct sheet *s, bool is_dark, FILE *to)
{
	for (unsigned ink = 0; ink < SHEET_INKS; ink++)
		if (is_used(s, ink))
			fprintf(to, ".i%u{fill:#%06x}", ink, (unsigned)sheet_colour(ink, is_dark));
}

static void put_style(const struct sheet *s, FILE *to)
{
	fputs("<style>text{font-family:'DejaVu Sans',Verdana,sans-serif}.e{text-anchor:end}.b{font-weight:bold}", to);
	put_colours(s, false, to);
	fputs("\n@media(prefers-color-scheme:dark){", to);
	put_colours(s, true, to);
	fputs("}</style>\n", to);
}

static void put_text(const struct sheet_shape *shape, FILE *to)
{
	fprintf(to, "<text x=\"%g\" y=\"%g\" font-size=\"%g\" class=\"i%u%s%s\">", shape->x, shape->y, shape->height,
		shape->ink, shape->is_end ? " e" : "", shape->is_bold ? " b" : "");
	put_escaped(shape->text, to);
	fputs("</text>\n", to);
}

static void put_cell(const struct sheet_shape *shape, FILE *to)
{
	fprintf(to, "<path d=\"M%g %gh%gv%gh-%gz\"", shape->x, shape->y, shape->width, shape->height, shape->width);
	if (!shape->text) {
		fputs("/>\n", to);
		return;
	}
	fputs("><title>", to);
	put_escaped(shape->text, to);
	fputs("</title></path>\n", to);
}

/* Cells of one ink that follow each other are a group. */
static void put_shapes(const struct sheet *s, FILE *to)
{
	for (size_t i = 0; i < s->shape_count;) {
		unsigned ink = s->shapes[i].ink;

		if (s->shapes[i].is_text) {
			put_text(&s->shapes[i++], to);
			continue;
		}
		fprintf(to, "<g class=\"i%u\">\n", ink);
		for (; i < s->shape_count && !s->shapes[i].is_text && s->shapes[i].ink == ink; i++)
			put_cell(&s->shapes[i], to);
		fputs("</g>\n", to);
	}
}

bool sheet_write_svg(const struct sheet *s, FILE *to)
{
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" "
		"role=\"img\">\n<title>",
		s->width, s->height, s->width, s->height);
	put_escaped(s->title, to);
	fputs("</title>\n", to);
	put_style(s, to);
	fprintf(to, "<rect class=\"i%u\" width=\"%g\" height=\"%g\"/>\n", SHEET_PAPER, s->width, s->height);
	put_shapes(s, to);
	fputs("</svg>\n", to);
	return true;
}
