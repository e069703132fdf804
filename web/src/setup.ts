/** For tests only: without a browser there is no address either. */

globalThis.location ??= new URL('http://gallery.invalid/') as unknown as Location;
