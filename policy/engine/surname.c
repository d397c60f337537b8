#include "policy/engine/surname.h"

#define SURNAME_BYTES 6 /* two characters of three bytes each */

/* Those in use today, in simplified and, where they differ, traditional characters. Pairs that are
 * more often a surname and the first character of a given name are not here. */
static const char *const compound[] = {
    "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛",
    "尉迟", "公羊", "赫连", "澹台", "皇甫", "宗政", "濮阳", "公冶", "太叔", "申屠", "公孙", "慕容",
    "仲孙", "钟离", "长孙", "宇文", "司徒", "鲜于", "司空", "闾丘", "子车", "亓官", "司寇", "巫马",
    "公西", "颛孙", "壤驷", "公良", "漆雕", "乐正", "宰父", "谷梁", "穀梁", "拓跋", "夹谷", "轩辕",
    "令狐", "段干", "百里", "呼延", "东郭", "南门", "羊舌", "微生", "梁丘", "左丘", "西门", "第五",
    "公输", "公仪", "达奚", "褚师", "纳兰", "叶赫", "爱新", "完颜", "耶律", "贺兰", "贺若", "哥舒",
    "即墨", "东里", "北宫", "屈突", "库狄", "豆卢", "斛律", "尔朱",
    "歐陽", "司馬", "東方", "獨孤", "南宮", "聞人", "諸葛", "尉遲", "公孫", "仲孫", "鍾離", "長孫",
    "鮮于", "閭丘", "亓官", "巫馬", "顓孫", "樂正", "軒轅", "東郭", "南門", "西門", "赫連", "澹臺",
    "濮陽", "段幹", "納蘭", "爾朱",
};

bool lb_surname_is_compound(struct lb_span name)
{
    if (name.len < SURNAME_BYTES)
        return false;
    for (size_t i = 0; i < sizeof(compound) / sizeof(compound[0]); i++)
        if (lb_span_is(lb_span_of(name.ptr, SURNAME_BYTES), compound[i]))
            return true;
    return false;
}
