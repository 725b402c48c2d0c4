/* A sheet as PNG, painted by cairo.
 *
 * cairo brings some twenty libraries with it (fonts, X11), which would be mapped at every start of the tool. So it is
 * no dependency of the program: its library is loaded when a PNG is asked for, and a machine without it has every other
 * picture. Colours are those on light paper; everything is twice the size of the sheet's units for sharp
 * screens, where cairo can paint that much.
 *
 * Left out: any decision about what is drawn where. */
#include "map_sheet.h"

#include <cairo.h>
#include <dlfcn.h>

enum { SCALE = 2, SIDE_MAX = 32767 };

/* What is used of cairo: the names of the functions, with the types of its header. */
#define FUNCTIONS(X)									\
	X(image_surface_create) X(surface_destroy) X(surface_write_to_png_stream)	\
	X(create) X(destroy) X(status) X(scale) X(set_source_rgb) X(rectangle) X(fill) X(move_to)	\
	X(select_font_face) X(set_font_size) X(text_extents) X(show_text) X(status_to_string) X(paint)

struct cairo {
#define X(name) __typeof__(cairo_##name) *name;
	FUNCTIONS(X)
#undef X
};

static bool load(struct cairo *c)
{
	void *library = dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return false;
#define X(name) c->name = (__typeof__(c->name))dlsym(library, "cairo_" #name);
	FUNCTIONS(X)
#undef X
#define X(name) &&c->name
	return true FUNCTIONS(X);
#undef X
}

static cairo_status_t write_to(void *file, const unsigned char *data, unsigned len)
{
	return fwrite(data, 1, len, file) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void set_ink(const struct cairo *c, cairo_t *to, unsigned ink)
{
	uint32_t rgb = sheet_colour(ink, false);

	c->set_source_rgb(to, (rgb >> 16) / 255.0, (rgb >> 8 & 0xff) / 255.0, (rgb & 0xff) / 255.0);
}

static void paint_text(const struct cairo *c, cairo_t *to, const struct sheet_shape *shape)
{
	cairo_text_extents_t extents = { 0 };

	c->select_font_face(to, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
			    shape->is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	c->set_font_size(to, shape->height);
	if (shape->is_end)
		c->text_extents(to, shape->text, &extents);
	c->move_to(to, shape->x - extents.x_advance, shape->y);
	c->show_text(to, shape->text);
}

static void paint(const struct cairo *c, cairo_t *to, const struct sheet *s, double scale)
{
	c->scale(to, scale, scale);
	set_ink(c, to, SHEET_PAPER);
	c->paint(to);
	for (size_t i = 0; i < s->shape_count; i++) {
		const struct sheet_shape *shape = &s->shapes[i];

		set_ink(c, to, shape->ink);
		if (shape->is_text) {
			paint_text(c, to, shape);
		} else {
			c->rectangle(to, shape->x, shape->y, shape->width, shape->height);
			c->fill(to);
		}
	}
}

bool sheet_write_png(const struct sheet *s, FILE *to)
{
	double scale = s->height * SCALE <= SIDE_MAX && s->width * SCALE <= SIDE_MAX ? SCALE : 1;
	cairo_surface_t *surface;
	cairo_status_t status;
	struct cairo c;
	cairo_t *picture;

	if (!load(&c)) {
		cli_refuse("a PNG needs the library libcairo.so.2 (Debian: libcairo2), which is not installed; --svg "
			   "does without it");
		return false;
	}
	surface = c.image_surface_create(CAIRO_FORMAT_RGB24, scale * s->width, scale * s->height);
	picture = c.create(surface);
	paint(&c, picture, s, scale);
	status = c.status(picture);
	if (!status)
		status = c.surface_write_to_png_stream(surface, write_to, to);
	c.destroy(picture);
	c.surface_destroy(surface);
	if (!status || status == CAIRO_STATUS_WRITE_ERROR)
		return true;
	cli_refuse("a PNG of %.0f by %.0f points cannot be painted: %s", scale * s->width, scale * s->height,
		   c.status_to_string(status));
	return false;
}
