/** What a person with this screen would complain about. Runs in the page, and is its last expression. */
(() => {
  const root = document.documentElement;
  const hasOwnText = (element) =>
    [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== '');
  const told = [...document.body.querySelectorAll('*')].filter(
    (element) => hasOwnText(element) && element.tagName !== 'title' && element.checkVisibility(),
  );

  /** `rgb(1, 2, 3)`, `rgba(1, 2, 3, 0)` or `color(srgb ...)` as channels from 0 to 1. */
  const channelsOf = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    const [r, g, b, a = 1] = numbers;
    return { rgb: [r, g, b].map((one) => one / 255), a };
  };
  const backOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { rgb, a } = channelsOf(getComputedStyle(at).backgroundColor);
      if (a > 0) return rgb;
    }
    return [1, 1, 1];
  };
  const luminance = (rgb) =>
    rgb
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
      .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const contrastOf = (element) => {
    const { color, fill } = getComputedStyle(element);
    const ink = channelsOf(element.ownerSVGElement ? fill : color).rgb;
    const [dark, light] = [luminance(ink), luminance(backOf(element))].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const name = (element) => `${element.tagName} "${element.textContent.trim().slice(0, 40)}"`;
  const isOutside = (element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < -0.5 || right > root.clientWidth + 0.5;
  };
  const isScrolledIn = (element) => element.closest('.wide') !== null;
  return {
    widerBy: root.scrollWidth - root.clientWidth,
    texts: told.length,
    small: told
      .filter((element) => Number.parseFloat(getComputedStyle(element).fontSize) < 12)
      .map(name),
    pale: told.filter((element) => contrastOf(element) < 4.5).map(name),
    cutOff: told.filter((element) => !isScrolledIn(element) && isOutside(element)).map(name),
    sections: [...document.querySelectorAll('section')]
      .filter((section) => {
        const { width, height } = section.getBoundingClientRect();
        return section.checkVisibility() && width > 200 && height > 50;
      })
      .map(({ id }) => id),
    scripts: document.scripts.length,
    words: document.body.innerText,
  };
})();
