/** Panels in the style of the dashboard, from Grafana's own builders. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import { type Threshold, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Gauge } from '@grafana/grafana-foundation-sdk/gauge';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** Whatever the reader chooses at the top of the dashboard. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const HEIGHT = 8;

export interface PanelOptions {
  id: number;
  title: string;
  description: string;
  /** One of https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts. */
  unit: string;
  /** Columns of 24. */
  width: number;
  /** PromQL and the name of its series, of each query. */
  queries: [expression: string, legend: string][];
}

/** Values from which on something has another colour; the first one colours everything below the second. */
export function thresholds(...steps: [from: number | null, color: string][]): ThresholdsConfigBuilder {
  const list: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list);
}

export function timeSeries(options: PanelOptions): TimeSeries {
  return ranged(described(new TimeSeries(), options), options)
    .lineWidth(1)
    .fillOpacity(10)
    .showPoints(common.VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
}

/** Counts of a window of time: as bars, because what did not happen has no value. */
export function counts(options: Omit<PanelOptions, 'unit'>): TimeSeries {
  return timeSeries({ ...options, unit: 'short' })
    .min(0)
    .drawStyle(common.GraphDrawStyle.Bars)
    .fillOpacity(60);
}

export function gauge(options: PanelOptions): Gauge {
  return ranged(described(new Gauge(), options), options).reduceOptions(lastValue()).showThresholdMarkers(true);
}

export function stat(options: PanelOptions): Stat {
  return ranged(described(new Stat(), options), options)
    .reduceOptions(lastValue())
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.ValueAndName);
}

/** The values of now, a row for each set of labels. */
export function table(options: PanelOptions): Table {
  const panel = described(new Table(), options);
  for (const [index, [expression, legend]] of options.queries.entries())
    panel.withTarget(query(index, expression, legend).instant().format(PromQueryFormat.Table));
  return panel;
}

/** What every kind of panel can say of itself. */
interface Describable {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  height(height: number): this;
  span(width: number): this;
  datasource(datasource: common.DataSourceRef): this;
}

function described<Panel extends Describable>(panel: Panel, options: PanelOptions): Panel {
  const { id, title, description, unit, width } = options;
  return panel
    .id(id)
    .title(title)
    .description(description)
    .unit(unit)
    .height(HEIGHT)
    .span(width)
    .datasource(DATASOURCE);
}

function ranged<Panel extends { withTarget(target: DataqueryBuilder): Panel }>(
  panel: Panel,
  { queries }: PanelOptions,
): Panel {
  return queries.reduce(
    (to, [expression, legend], index) => to.withTarget(query(index, expression, legend).range()),
    panel,
  );
}

function query(index: number, expression: string, legend: string): DataqueryBuilder {
  const refId = String.fromCharCode('A'.charCodeAt(0) + index);
  return new DataqueryBuilder().refId(refId).datasource(DATASOURCE).expr(expression).legendFormat(legend);
}

function lastValue(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
}
