/* What pages offer to our scripts besides the browser: htmx and Alpine, as far as they are used, and Unfold's functions. */

declare const htmx: {
  config: { allowEval: boolean; includeIndicatorStyles: boolean };
  trigger(element: Element, event: string): void;
};

declare const Alpine: { data(name: string, component: (...given: any[]) => object): void };
interface AlpineComponent {
  $watch(property: string, told: (value: any) => void): void;
}

declare function theme(...given: any[]): object;
declare function searchForm(...given: any[]): object;
declare function searchDropdown(...given: any[]): object;
declare function searchCommand(...given: any[]): object;
declare function getCurrentTab(): string | undefined;

interface HtmxEvent
  extends CustomEvent<{
    elt: HTMLElement;
    target: Element;
    xhr: XMLHttpRequest;
    verb: string;
    headers: Record<string, string>;
    requestConfig: { verb: string };
    shouldSwap: boolean;
  }> {}

interface DocumentEventMap {
  "htmx:beforeSwap": HtmxEvent;
  "htmx:configRequest": HtmxEvent;
}
