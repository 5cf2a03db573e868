// <live-map data-url="…json" data-base="…json" data-blank="…gif" [data-tiles] [data-every="5"]>
//
// data-url answers {"routes": [{"points": [[lat, lon], …], "kind": 0…3, "title": "…"}],
//                   "stops": [{"lat", "lon", "label", "title", "state": "past|now|next|lost", "kind": 0…3}],
//                   "positions": [{"lat", "lon", "title", "accuracy"}]}; kind 0 is grey, what has been driven.
// data-base answers a GeoJSON FeatureCollection: lines with properties.wide, polygons with properties.kind water or park,
// and "attribution". Leaflet itself is loaded by a script before this module.
const DASHES = ["", "", "12 4", "3 4"];
const TONES = ["--line-strong", "--blue", "--brick", "--ok"];

const words = text => {
	const span = document.createElement("span");
	span.textContent = text;
	return span;
};

customElements.define("live-map", class extends HTMLElement {
	async connectedCallback() {
		if (!window.L || this.map) {
			return;
		}
		L.Util.emptyImageUrl = this.dataset.blank;
		this.replaceChildren();
		this.probe = this.appendChild(document.createElement("i"));
		this.probe.hidden = true;
		this.frame = this.appendChild(document.createElement("div"));
		this.frame.className = "map-frame";
		this.map = L.map(this.frame, {
			preferCanvas: true,
			zoomControl: false,
			scrollWheelZoom: false,
			zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
			attributionControl: false,
		});
		L.control.zoom({ zoomInTitle: this.dataset.zoomIn, zoomOutTitle: this.dataset.zoomOut }).addTo(this.map);
		this.map.setView([55.82, 37.75], 12);
		this.ground = L.layerGroup().addTo(this.map);
		this.things = L.layerGroup().addTo(this.map);
		this.map.on("click", at => this.tell(at));
		this.tiles();
		await this.refresh();
		await this.base();
		this.theme = new MutationObserver(() => this.repaint());
		this.theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
		this.anew = () => {
			clearTimeout(this.timer);
			this.refresh();
		};
		document.addEventListener("plan-changed", this.anew);
	}

	disconnectedCallback() {
		clearTimeout(this.timer);
		this.theme?.disconnect();
		document.removeEventListener("plan-changed", this.anew);
		this.map?.remove();
		this.map = null;
	}

	/** A colour of the stylesheet as the browser computes it for the present theme. */
	colour(name) {
		this.probe.style.color = `var(${name})`;
		return getComputedStyle(this.probe).color;
	}

	tiles() {
		if (!this.dataset.tiles) {
			return;
		}
		const tiles = L.tileLayer(this.dataset.tiles, { maxZoom: 19 }).addTo(this.map);
		tiles.once("tileerror", () => tiles.remove());
	}

	async base() {
		try {
			const answer = await fetch(this.dataset.base);
			this.land = answer.ok ? await answer.json() : null;
		} catch {
			this.land = null;
		}
		if (this.land && this.map) {
			this.paintLand();
		}
	}

	/** One layer for all streets of a kind: a layer for each street costs a phone a second. */
	paintLand() {
		this.ground.clearLayers();
		const wide = [];
		const narrow = [];
		for (const { geometry, properties } of this.land.features) {
			if (geometry.type.includes("Polygon")) {
				const fillColor = this.colour(properties.kind === "park" ? "--park" : "--water");
				L.geoJSON(geometry, { style: { stroke: false, fillOpacity: 1, fillColor }, interactive: false }).addTo(this.ground);
			} else {
				(properties.wide ? wide : narrow).push(geometry.coordinates.map(([lon, lat]) => [lat, lon]));
			}
		}
		const color = this.colour("--road");
		for (const [lines, weight] of [[narrow, 2], [wide, 5]]) {
			L.polyline(lines, { color, weight, opacity: 1, smoothFactor: 2, interactive: false }).addTo(this.ground);
		}
		if (this.land.attribution && !this.credit) {
			this.credit = L.control.attribution({ prefix: false }).addTo(this.map);
			this.credit.addAttribution(words(this.land.attribution).innerHTML);
		}
		this.ground.eachLayer(layer => layer.bringToBack());
	}

	async refresh() {
		const every = Number(this.dataset.every) * 1000;
		let more = true;
		try {
			const headers = this.etag ? { "If-None-Match": this.etag } : {};
			const answer = await fetch(this.dataset.url, { headers, cache: "no-store" });
			more = answer.status !== 286;
			if (answer.ok) {
				this.etag = answer.headers.get("ETag");
				this.state = await answer.json();
				this.paintThings();
			}
		} catch {
			// the list beside the map has the same facts; the next round may have a network again
		}
		if (every && more && this.isConnected) {
			this.timer = setTimeout(() => this.refresh(), every);
		}
	}

	paintThings() {
		const { routes = [], stops = [], positions = [] } = this.state;
		const seen = [];
		this.things.clearLayers();
		this.named = [];
		for (const route of routes) {
			const kind = route.kind ?? 1;
			const line = L.polyline(route.points, { color: this.colour(TONES[kind]), weight: 5, dashArray: DASHES[kind], opacity: 1 });
			if (route.title) {
				line.bindTooltip(words(route.title), { sticky: true });
			}
			line.addTo(this.things);
			seen.push(...route.points);
		}
		for (const stop of stops) {
			this.pin(stop, `map-pin k${stop.kind ?? 1} ${stop.state || "next"}`, stop.label || "", 28);
			seen.push([stop.lat, stop.lon]);
		}
		for (const place of positions) {
			if (place.accuracy) {
				L.circle([place.lat, place.lon], { radius: place.accuracy, stroke: false, fillColor: this.colour("--focus"), fillOpacity: 0.2, interactive: false }).addTo(this.things);
			}
			this.pin(place, "map-me", "", 20);
			seen.push([place.lat, place.lon]);
		}
		if (seen.length && !this.fitted) {
			this.fitted = true;
			this.map.fitBounds(seen, { padding: [28, 28], maxZoom: 16, animate: false });
		}
	}

	pin(place, className, label, size) {
		const icon = L.divIcon({ className, html: words(label), iconSize: [size, size] });
		L.marker([place.lat, place.lon], { icon, interactive: false, keyboard: false }).addTo(this.things);
		if (place.title) {
			this.named.push(place);
		}
	}

	/** Pins may lie on each other and are smaller than a thumb, so a tap asks for the nearest of them. */
	tell(at) {
		const away = place => this.map.latLngToContainerPoint([place.lat, place.lon]).distanceTo(at.containerPoint);
		const [nearest] = [...this.named].sort((a, b) => away(a) - away(b));
		if (nearest && away(nearest) < 30) {
			this.map.openPopup(words(nearest.title), [nearest.lat, nearest.lon]);
		}
	}

	repaint() {
		if (this.land) {
			this.paintLand();
		}
		if (this.state) {
			this.paintThings();
		}
	}
});
